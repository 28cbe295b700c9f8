"""Checkpoints: weights to use, and the state to go on from."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from safetensors.torch import save

from drivederain.errors import DataError
from drivederain.results.run_folder import write_atomically
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import Scores, as_csv
from drivederain.training.crops import Crops, collate
from drivederain.training.epochs import Epochs
from drivederain.training.record import INTERRUPTED, MakeRecord, TrainingRecord
from drivederain.training.state import save_state
from drivederain.training.steps import Failure
from drivederain.weights_metadata import metadata

Serialise = Callable[[TrainingRecord], bytes]
"""From what the training did so far to the bytes of a weights file of the network as it is now, with its provenance."""
Beside = Callable[[TrainingRecord], Mapping[str, bytes]]
"""Likewise to files that belong to it, by a name that stands in theirs: of stages that are trained together."""


@dataclass(frozen=True)
class Keeping:
    """Where and how often a training is kept.

    ``checkpoint_every``: epochs between weights that stay (0: none). ``save_seconds``: between two states to resume
    from. ``save_steps``: as well after so many steps. ``samples_every``, ``real_every``: epochs between pictures of
    restored validation pictures and photos (0: none).
    """

    folder: TrainingFolder
    serialise: Serialise
    resume: bool = False
    checkpoint_every: int = 10
    save_seconds: float = 60.0
    save_steps: int | None = None
    samples_every: int = 5
    real_every: int = 10
    tensorboard: bool = False
    beside: Beside | None = None
    rainy: Scores | None = None
    """Of the rainy validation pictures themselves, for the curves."""
    before: tuple[str, Scores] | None = None
    """Of a refiner: the chain before it and its scores, likewise."""

    def check(self, parameters: int = 0, *, epochs: int = 0) -> None:
        """Find out before the training that the folder can be written, and has room for what will lie there.

        Args:
            parameters: of the network.
            epochs: of the budget, as far as it names them.

        Raises:
            DataError: it cannot, or a training lies there that was not to be resumed.
        """
        folder = self.folder
        if not self.resume and folder.state.exists():
            raise DataError(
                f"{folder.path} holds a training already. Go on with it (--resume {folder.path}), "
                "or give another --out."
            )
        probe = folder.checkpoints / ".probe"
        try:
            write_atomically(probe, bytes(PROBE))
        except OSError as error:
            raise DataError(f"{folder.path} cannot take checkpoints: {error.strerror}. Give another --out.") from error
        with suppress(FileNotFoundError):
            probe.unlink()
        staying = epochs // self.checkpoint_every if self.checkpoint_every else 0
        needed = parameters * (BYTES_A_PARAMETER + 4 * staying)
        for path in (folder.best, folder.last, folder.state, *folder.checkpoints.glob("epoch_*.safetensors")):
            with suppress(FileNotFoundError):
                needed -= path.stat().st_size  # room that it has already
        free = shutil.disk_usage(folder.path).free
        if free < needed:
            raise DataError(
                f"{folder.path}: its checkpoints take about {needed / 2**20:,.0f} MiB, and {free / 2**20:,.0f} "
                "are free. Free some, or give another --out."
            )


PROBE = 1 << 10
"""Bytes that are written to find out whether that is possible."""
BYTES_A_PARAMETER = 40
"""The best and the last weights, and the state (weights, averages, two moments), twice while a new one is written."""


def beside(path: Path, name: str) -> Path:
    """Where the weights of the stage ``name`` lie that was trained together with those at ``path``."""
    return path.with_name(f"{path.stem}.{name}{path.suffix}")


class Saver(Callback):
    """Writes the checkpoints of the first device's process."""

    def __init__(self, keeping: Keeping, epochs: Epochs, crops: Crops, record: MakeRecord) -> None:
        self.keeping, self.epochs, self.crops, self.record = keeping, epochs, crops, record
        self._saved_at, self._saved_step = time.monotonic(), epochs.position.step
        self._best_is_new = False

    def best(self, module: LightningModule) -> None:
        """Keep the weights that the module has as the best."""
        with self.epochs.progress.paused():
            self._write_weights(self.keeping.folder.best)
        self._best_is_new = True

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        steps, position = self.epochs.steps, self.epochs.position
        # At the end of an epoch its validation must come first; between two steps gradients are gathered.
        if position.place.batch == 0 or not steps.just_stepped:
            return
        every = self.keeping.save_steps
        due = time.monotonic() - self._saved_at > self.keeping.save_seconds
        due = due or (every is not None and position.step - self._saved_step >= every)
        # At the end of the budget the last validation comes first.
        over = self.epochs.progress.over(position.step)
        if trainer.is_global_zero and (due or steps.interrupted) and not over:
            steps.read()
            if not steps.suspicious and self.epochs.sound(module):
                self._save(trainer, module)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        position, folder, steps = self.epochs.position, self.keeping.folder, self.epochs.steps
        if steps.failure is not None or not trainer.is_global_zero or not position.history:
            return
        write_atomically(folder.epochs, as_csv(position.history).encode())
        every = self.keeping.checkpoint_every
        complete = position.place.batch == 0
        if steps.interrupted and not complete and not self.epochs.progress.over(position.step):
            return  # the step has seen to it
        if complete and every and position.place.epoch % every == 0:
            with self.epochs.progress.paused(), self.epochs.in_place(module):
                self._write_weights(folder.epoch_weights(position.place.epoch))
        # On a GPU an epoch that is done again does not end the same: a training that was killed must know its best.
        due = self._best_is_new or time.monotonic() - self._saved_at > self.keeping.save_seconds
        due = due or trainer.should_stop or self.keeping.save_steps is not None
        # What may be the first loss of an explosion is kept only where nothing comes after it.
        ended = self.epochs.stop_reason not in ("", INTERRUPTED)
        if due and (ended or not steps.suspicious):
            self._save(trainer, module)

    def _save(self, trainer: Trainer, module: LightningModule) -> None:
        steps, position = self.epochs.steps, self.epochs.position
        if steps.failure is not None or not trainer.is_global_zero:
            return
        begun = time.monotonic()
        self._saved_at, self._saved_step, self._best_is_new = begun, position.step, False
        position.seconds = self.epochs.progress.seconds
        with self.epochs.progress.paused():
            with self.epochs.in_place(module):
                self._write_weights(self.keeping.folder.last)
            # Last, so that what a resumed training goes on from is never newer than the weights beside it.
            save_state(self.keeping.folder.state, position, trainer, module, self.epochs.averages)
        steps.pass_over(time.monotonic() - begun)

    def _write_weights(self, path: Path) -> None:
        record = self.record("", self.epochs.position.means)
        if self.keeping.beside is not None:
            for name, content in self.keeping.beside(record).items():
                write_atomically(beside(path, name), content)
        write_atomically(path, self.keeping.serialise(record))

    def failed_batch(self, failure: Failure) -> Path | None:
        """Keep the crops of the batch that a training failed at, if one is known, and the names of their pictures."""
        if failure.batch is None:
            return None
        draws = self.epochs.steps.draws.drawn(failure.batch)
        rows = collate([self.crops[draw] for draw in draws])
        if self.epochs.loader.complete is not None:
            rows = self.epochs.loader.complete(rows)
        names = [self.crops.name(draw) for draw in draws]
        about = {"reason": failure.reason, "pictures": names, "draws": [draw.number for draw in draws]}
        content = save({name: value.contiguous() for name, value in rows.items()}, metadata=metadata(about))
        write_atomically(self.keeping.folder.failed_batch, bytes(content))
        return self.keeping.folder.failed_batch
