"""What a training reached, epoch by epoch: one record an epoch, kept as CSV. Imports no torch."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivederain.errors import DataError
from drivederain.specs import INTENSITIES


@dataclass(frozen=True)
class Scores:
    """Of the validation pictures: the loss of their middle crops, PSNR (dB) and SSIM of them whole (RGB, 8 bit)."""

    loss: float
    psnr: float
    ssim: float
    psnr_by_intensity: Mapping[str, float] = field(default_factory=dict)
    ssim_by_intensity: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EpochRecord:
    """One epoch, or the part of one at which a training ended. If it then goes on, the whole epoch follows as well.

    ``losses`` are means over the epoch's steps, weighted as they were trained with, by term, with their sum ``loss``.
    ``images_per_second`` is of the training alone; ``waiting`` is the share of that time in which no crops were ready.
    """

    epoch: int
    """From 1."""
    step: int
    """Optimiser steps so far."""
    seconds: float
    """Of training so far, without pauses."""
    learning_rate: float
    losses: Mapping[str, float]
    images_per_second: float
    waiting: float
    scores: Scores | None = None

    def row(self) -> dict[str, float | int | str]:
        """Flat, as a line of the table; what was not measured is an empty text."""
        scores = self.scores
        row: dict[str, float | int | str] = {
            "epoch": self.epoch,
            "step": self.step,
            "seconds": round(self.seconds, 2),
            "learning_rate": self.learning_rate,
            "images_per_second": round(self.images_per_second, 3),
            "waiting": round(self.waiting, 4),
            **{f"train_{name}": value for name, value in self.losses.items()},
            "validation_loss": scores.loss if scores else "",
            "psnr": scores.psnr if scores else "",
            "ssim": scores.ssim if scores else "",
        }
        for name in INTENSITIES:
            row[f"psnr_{name}"] = scores.psnr_by_intensity.get(name, "") if scores else ""
            row[f"ssim_{name}"] = scores.ssim_by_intensity.get(name, "") if scores else ""
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> EpochRecord:
        """What ``row`` gave, from texts or numbers.

        Raises:
            ValueError, KeyError: it is no such row.
        """
        scores = None
        if row["validation_loss"] != "":
            psnr, ssim = (
                {
                    str(name): float(row[f"{metric}_{name}"])
                    for name in INTENSITIES
                    if row.get(f"{metric}_{name}", "") != ""
                }
                for metric in ("psnr", "ssim")
            )
            scores = Scores(float(row["validation_loss"]), float(row["psnr"]), float(row["ssim"]), psnr, ssim)
        losses = {
            name.removeprefix("train_"): float(value)
            for name, value in row.items()
            if name.startswith("train_") and value != ""
        }
        return cls(
            epoch=int(row["epoch"]),
            step=int(row["step"]),
            seconds=float(row["seconds"]),
            learning_rate=float(row["learning_rate"]),
            losses=losses,
            images_per_second=float(row["images_per_second"]),
            waiting=float(row["waiting"]),
            scores=scores,
        )


def best_of(history: Sequence[EpochRecord]) -> EpochRecord | None:
    """The record with the highest validation PSNR, the first of equals; ``None`` where nothing was validated."""
    scored = [record for record in history if record.scores is not None and not math.isnan(record.scores.psnr)]
    return max(scored, key=lambda record: record.scores.psnr if record.scores else -math.inf, default=None)


def as_csv(history: Sequence[EpochRecord]) -> str:
    """The table with a header; numbers are written so that they read back as they are."""
    rows = [record.row() for record in history]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_history(path: Path) -> list[EpochRecord]:
    """The records of a file that ``as_csv`` made.

    Raises:
        DataError: it cannot be read, or is none.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [EpochRecord.from_row(row) for row in csv.DictReader(file)]
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}. Give the folder of a training, as in runs/unet.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged, or no table of a training ({error})") from error
