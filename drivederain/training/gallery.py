"""What a training looks like on its way: restored validation pictures, restored real photos, and curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from lightning import Callback, LightningModule, Trainer
from numpy.typing import NDArray

from drivederain.data.png import encode_png
from drivederain.data.sample import Sample
from drivederain.results.run_folder import write_atomically
from drivederain.training.curves import draw_curves
from drivederain.training.data import TrainingData
from drivederain.training.epochs import Epochs
from drivederain.training.record import INTERRUPTED
from drivederain.training.saving import Keeping
from drivederain.training.sheets import ERROR_COLUMN, error_map, sheet
from drivederain.training.validation import Restore

MOST = 6
"""Pictures on a sheet."""
HEIGHT = 240
"""Of each, in pixels."""

Pixels = NDArray[np.uint8]
Row = tuple[str, Sequence[Pixels | None]]


class Gallery(Callback):
    """Draws sheets and curves in the folder of the training, with the weights that are kept.

    What cannot be drawn is said and does not stop the training: pictures are to be looked at, and nothing is made of
    them.
    """

    def __init__(self, keeping: Keeping, epochs: Epochs, data: TrainingData, restore: Restore) -> None:
        self.keeping, self.epochs, self.restore = keeping, epochs, restore
        self.shown = spread([sample for sample in data.validation or data.samples if sample.clear is not None], MOST)
        self.photos = spread(data.photos, MOST)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        epochs, keeping = self.epochs, self.keeping
        if epochs.steps.failure is not None or not epochs.position.history or not trainer.is_global_zero:
            return
        interrupted = epochs.stop_reason == INTERRUPTED
        if interrupted and epochs.position.place.batch:
            return  # inside an epoch: its record is not written yet
        number = epochs.position.history[-1].epoch
        ends = bool(epochs.stop_reason) and not interrupted
        samples = _due(keeping.samples_every, number, ends)
        real = bool(self.photos) and _due(keeping.real_every, number, ends)
        if not samples and not real:
            return
        training = module.training
        module.eval()
        try:
            with epochs.progress.paused(), epochs.in_place(module):
                if samples:
                    columns = ("rainy", "restored", "clear", ERROR_COLUMN)
                    self._write(keeping.folder.sample(number), self._with_truth, self.shown, columns)
                    if not ends:
                        self._curves()
                if real:
                    self._write(keeping.folder.real(number), self._without, self.photos, ("rainy", "restored"))
        finally:
            module.train(training)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self.epochs.position.history and trainer.is_global_zero:
            with self.epochs.progress.paused():
                self._curves()

    def _write(
        self, path: Path, row: Callable[[Sample], Row], samples: Sequence[Sample], columns: Sequence[str]
    ) -> None:
        try:
            write_atomically(path, encode_png(sheet([row(sample) for sample in samples], columns, height=HEIGHT)))
        # A method's own code makes them, and large photos may not fit into the memory.
        except Exception as error:
            self.epochs.observer.note(f"{path} could not be drawn: {error}")

    def _with_truth(self, sample: Sample) -> Row:
        assert sample.clear is not None
        restored, clear = self.restore(sample), sample.clear.load()
        return f"{sample.image}, {sample.dataset}", (sample.rainy.load(), restored, clear, error_map(restored, clear))

    def _without(self, sample: Sample) -> Row:
        return f"{sample.image}, {sample.dataset}", (sample.rainy.load(), self.restore(sample))

    def _curves(self) -> None:
        hyperparameters, budget = self.epochs.hyperparameters, self.epochs.progress.budget
        try:
            draw_curves(
                self.epochs.position.history,
                self.keeping.folder.curves,
                title=self.keeping.folder.path.resolve().name,
                stop_reason=self.epochs.stop_reason,
                epochs=budget.epochs if budget else None,
                target_psnr=hyperparameters.target_psnr,
                target_ssim=hyperparameters.target_ssim,
                rainy=self.keeping.rainy,
                before=self.keeping.before,
            )
        except OSError as error:
            self.epochs.observer.note(f"{self.keeping.folder.curves} could not be written: {error.strerror}")


def spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """``count`` samples from all over, of different scenes and intensities where there are any."""
    if len(samples) <= count:
        return list(samples)
    scenes: dict[str, list[Sample]] = {}
    for sample in samples:
        scenes.setdefault(sample.scene, []).append(sample)
    names = sorted(scenes)
    chosen = [names[place * len(names) // count] for place in range(min(count, len(names)))]
    # The second of the scenes chosen with the second of its intensities, and so on, so that all are seen.
    found = [scenes[name][place % len(scenes[name])] for place, name in enumerate(chosen)]
    return found + [sample for sample in samples if sample not in found][: count - len(found)]


def _due(every: int, number: int, ends: bool) -> bool:
    return bool(every) and (ends or number % every == 0)
