"""Events for TensorBoard, and the same figures of single steps as a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch.utils.tensorboard import SummaryWriter

from drivederain.results.training_folder import TrainingFolder
from drivederain.training.epochs import Epochs

EVERY = 10
"""Steps between two lines."""


class Events(Callback):
    """Writes running means of the losses every few steps, and the scores of every epoch.

    What a killed training had written beyond its checkpoint is taken back when it is resumed.
    """

    def __init__(self, folder: TrainingFolder, epochs: Epochs, *, tensorboard: bool) -> None:
        self.folder, self.epochs, self.tensorboard = folder, epochs, tensorboard
        self._writer: SummaryWriter | None = None
        self._said = -1

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        step = self.epochs.position.step
        _cut_off(self.folder.steps, step)
        if self.tensorboard:
            self._writer = SummaryWriter(str(self.folder.tensorboard), purge_step=step + 1 if step else None)

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        position, steps = self.epochs.position, self.epochs.steps
        due = steps.just_stepped and position.step % EVERY == 0 and position.step != self._said
        if not due or not trainer.is_global_zero or not position.means:
            return
        self._said = position.step
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        self._row({"step": position.step, "learning_rate": rate, **position.means})
        if self._writer is not None:
            for name, value in position.means.items():
                self._writer.add_scalar(f"train/{name}", value, position.step)
            self._writer.add_scalar("learning rate", rate, position.step)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self._writer is None or not self.epochs.position.history:
            return
        record = self.epochs.position.history[-1]
        self._writer.add_scalar("images per second", record.images_per_second, record.step)
        if record.scores is not None:
            scores = record.scores
            for name, value in (("loss", scores.loss), ("PSNR, dB", scores.psnr), ("SSIM", scores.ssim)):
                self._writer.add_scalar(f"validation/{name}", value, record.step)
            for intensity, value in scores.psnr_by_intensity.items():
                self._writer.add_scalar(f"validation PSNR, dB/{intensity}", value, record.step)
        self._writer.flush()

    def teardown(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _row(self, values: Mapping[str, float]) -> None:
        new = not self.folder.steps.exists()
        with self.folder.steps.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(values), lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(values)


def _cut_off(path: Path, step: int) -> None:
    """Leave the lines of a table up to ``step``."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = file.read().splitlines() or [""]
    kept = [line for line in lines if line.partition(",")[0].isdigit() and int(line.partition(",")[0]) <= step]
    path.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
