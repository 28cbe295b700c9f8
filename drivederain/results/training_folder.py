"""The folder of a training: where its files lie. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivederain.errors import DataError
from drivederain.results.run_folder import write_atomically


@dataclass(frozen=True)
class TrainingFolder:
    """``training.json``, ``epochs.csv``, ``steps.csv``, ``curves.png``, ``checkpoints/``, ``samples/``, ``real/``,
    ``tensorboard/``, and ``failed_batch.safetensors`` where a training blew up."""

    path: Path

    @property
    def record(self) -> Path:
        """What was asked for, and how it ended."""
        return self.path / "training.json"

    @property
    def epochs(self) -> Path:
        return self.path / "epochs.csv"

    @property
    def steps(self) -> Path:
        return self.path / "steps.csv"

    @property
    def curves(self) -> Path:
        return self.path / "curves.png"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """Weights of the highest validation PSNR."""
        return self.checkpoints / "best.safetensors"

    @property
    def last(self) -> Path:
        """Weights of the last checkpoint."""
        return self.checkpoints / "last.safetensors"

    @property
    def state(self) -> Path:
        """All that a resumed training needs."""
        return self.checkpoints / "last.state"

    def epoch_weights(self, epoch: int) -> Path:
        return self.checkpoints / f"epoch_{epoch:04d}.safetensors"

    def sample(self, epoch: int) -> Path:
        """Rainy, restored and clear pictures after an epoch."""
        return self.path / "samples" / f"epoch_{epoch:04d}.png"

    def real(self, epoch: int) -> Path:
        """Real rainy photos and what was made of them after an epoch."""
        return self.path / "real" / f"epoch_{epoch:04d}.png"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def failed_batch(self) -> Path:
        return self.path / "failed_batch.safetensors"

    @property
    def lock(self) -> Path:
        """Held by the training that goes on here."""
        return self.path / ".lock"

    def clear(self) -> None:
        """Remove what an attempt left that ended before its first state; its record is written anew."""
        files = [self.epochs, self.steps, self.curves, self.failed_batch, self.best, self.last]
        for name in ("epoch_*.safetensors", "best.*.safetensors", "last.*.safetensors"):
            files += self.checkpoints.glob(name)
        for folder, kind in (("samples", "*.png"), ("real", "*.png"), ("tensorboard", "events.out.tfevents.*")):
            files += (self.path / folder).glob(kind)
        for file in files:
            file.unlink(missing_ok=True)

    def write_record(self, record: Mapping[str, Any]) -> None:
        write_atomically(self.record, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())

    def read_record(self) -> dict[str, Any]:
        """What ``training.json`` says.

        Raises:
            DataError: there is no training in the folder, or its record is damaged.
        """
        try:
            record = json.loads(self.record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"{self.path} holds no training (no training.json). Give the folder of one.") from None
        except (OSError, ValueError) as error:
            raise DataError(f"{self.record} cannot be read ({error})") from error
        if not isinstance(record, dict):
            raise DataError(f"{self.record} is no record of a training")
        return record
