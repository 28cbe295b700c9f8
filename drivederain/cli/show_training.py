"""``show`` of a training: its curves drawn again, its last epochs, and where its pictures lie."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from drivederain.cli.console import console
from drivederain.errors import DataError
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import EpochRecord, Scores, best_of, read_history

LAST = 10
"""Epochs in the table."""


def show_training(folder: TrainingFolder, out: Path | None) -> None:
    """Print how a training went and draw its curves, by default to ``curves.png`` in its folder.

    Args:
        out: a folder, or a file that ends in .png or .svg.

    Raises:
        DataError: the record or the table of epochs is damaged.
    """
    from drivederain.training.curves import draw_curves

    record = folder.read_record()
    # The record is written before the first epoch is over.
    history = read_history(folder.epochs) if folder.epochs.exists() else []
    curves = folder.curves if out is None else out if out.suffix.lower() in (".png", ".svg") else out / "curves.png"
    hyperparameters = _mapping(folder, record, "hyperparameters")
    with console.status("drawing"):
        draw_curves(
            history,
            curves,
            title=f"{record.get('method', folder.path.resolve().name)} trained on {record.get('trained_on') or '?'}",
            stop_reason=str(record.get("stop_reason", "")),
            epochs=_planned(str(record.get("budget_words", "")), history),
            target_psnr=hyperparameters.get("target_psnr"),
            target_ssim=hyperparameters.get("target_ssim"),
            rainy=_scores(_mapping(folder, record, "rainy")),
            before=(str(record.get("before")), before)
            if (before := _scores(_mapping(folder, record, "estimates")))
            else None,
        )
    best = best_of(history)
    if history:
        console.print(_table(history[-LAST:], best))
    for line in (*_end(folder, record, history, best), *_files(folder), f"curves: {curves}"):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _mapping(folder: TrainingFolder, record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name) or {}
    if not isinstance(value, dict):
        raise DataError(f"{folder.record} is damaged: its {name} are {value!r}")
    return value


def _planned(budget: str, history: Sequence[EpochRecord]) -> int | None:
    """Epochs of a budget in words, as ``100 epochs or 5000 steps``; ``None`` where it is one of time."""
    limits = []
    if match := re.search(r"(?<!\S)(\d+) epochs?\b", budget):
        limits.append(int(match[1]))
    if history and (match := re.search(r"(?<!\S)(\d+) steps?\b", budget)):
        steps_per_epoch = max(max(record.step, 1) / record.epoch for record in history)
        limits.append(math.ceil(int(match[1]) / steps_per_epoch - 1e-9))
    return min(limits, default=None)


def _scores(scores: Mapping[str, Any]) -> Scores | None:
    if "psnr" not in scores or "ssim" not in scores:
        return None
    return Scores(math.nan, float(scores["psnr"]), float(scores["ssim"]))


def _table(history: Sequence[EpochRecord], best: EpochRecord | None) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for name in ("epoch", "step", "loss", "validation loss", "PSNR dB ↑", "SSIM ↑", "rate", "images/s", "waiting"):
        table.add_column(name, justify="right", no_wrap=True)
    for record in history:
        scores = record.scores
        figures = (f"{scores.loss:.5f}", f"{scores.psnr:.2f}", f"{scores.ssim:.4f}") if scores else ("-", "-", "-")
        loss = f"{record.losses['loss']:.5f}" if "loss" in record.losses else "-"
        mark = " *" if record is best else ""
        table.add_row(
            f"{record.epoch}{mark}", str(record.step), loss, *figures, f"{record.learning_rate:.2g}",
            f"{record.images_per_second:.1f}", f"{record.waiting:.0%}",
        )  # fmt: skip
    return table


def _end(
    folder: TrainingFolder, record: Mapping[str, Any], history: Sequence[EpochRecord], best: EpochRecord | None
) -> list[str]:
    if best is not None and best.scores is not None:
        scores = best.scores
        first = f"best: epoch {best.epoch} of {history[-1].epoch}, PSNR {scores.psnr:.2f} dB, SSIM {scores.ssim:.4f}"
    else:
        first = "nothing was validated" if history else "no epoch is over yet"
    status, reason = record.get("status"), record.get("stop_reason")
    if status == "interrupted":
        resumed = shlex.join(["drivederain-bench", "train", str(record.get("method")), "--resume", str(folder.path)])
        return [first, f"interrupted. Go on with: {resumed}"]
    if not reason:
        return [first, "not ended: it is running, or it was killed"]
    return [first, f"{'failed' if status == 'failed' else 'ended'}: {reason}"]


def _files(folder: TrainingFolder) -> list[str]:
    lines = [f"weights: {path}" for path in (folder.best, folder.last) if path.exists()]
    for words, parent in (("samples", folder.sample(0).parent), ("real photos", folder.real(0).parent)):
        sheets = sorted(parent.glob("epoch_*.png"))
        if sheets:
            lines.append(f"{words}: {parent}, {len(sheets)} pictures, the last is {sheets[-1].name}")
    return lines
