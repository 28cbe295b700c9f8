"""What is done after every epoch: validation, the record, the decision whether to go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from statistics import fmean
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from drivederain.errors import DataError, DriveDeRainError
from drivederain.results.training_history import EpochRecord, Scores, best_of
from drivederain.training.averages import Averages
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.observer import Observer
from drivederain.training.optimisation import VALIDATION_LOSS
from drivederain.training.progress import Progress
from drivederain.training.record import INTERRUPTED
from drivederain.training.state import Position
from drivederain.training.steps import Failure, Steps
from drivederain.training.stopping import no_longer_better, overfits, target_reached
from drivederain.training.validation import Validator

BUDGET = "the budget is used up"

Best = Callable[[LightningModule], None]
"""Called with the averaged weights in place when they have the highest validation PSNR so far."""


Complete = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]


class TimedLoader(DataLoader[dict[str, torch.Tensor]]):
    """A loader that knows how long the training waited for it."""

    waited = 0.0
    """Seconds since it was last set to 0."""
    complete: Complete | None = None
    """What is still done to every batch, in the process that trains. That is part of the training, not waited for."""

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        batches = super().__iter__()
        while True:
            begun = time.monotonic()
            try:
                batch = next(batches)
            except StopIteration:
                return
            except (DriveDeRainError, RuntimeError) as error:
                words = _said_in_worker(error)
                if words:
                    raise DataError(words) from error
                raise
            finally:
                self.waited += time.monotonic() - begun
            yield batch if self.complete is None else self.complete(batch)


def _said_in_worker(error: Exception) -> str:
    """What an error of ours said in a worker: the loader raises the worker's traceback instead, of another type."""
    raised, _, words = str(error).rstrip().rpartition("\n")[2].partition(": ")
    return words if "Original Traceback" in str(error) and raised.startswith("drivederain.") else ""


class Epochs(Callback):
    """Validates with the averaged weights, writes the history and stops where the hyperparameters say so."""

    def __init__(
        self,
        steps: Steps,
        validator: Validator | None,
        loader: TimedLoader,
        averages: Averages | None,
        *,
        validate_every: int = 1,
    ) -> None:
        self.steps, self.validator, self.loader, self.averages = steps, validator, loader, averages
        self.validate_every = validate_every
        self.best: Best = lambda module: None
        self.stop_reason = ""
        self._warned = False

    @property
    def position(self) -> Position:
        return self.steps.position

    @property
    def hyperparameters(self) -> Hyperparameters:
        return self.steps.hyperparameters

    @property
    def progress(self) -> Progress:
        return self.steps.progress

    @property
    def observer(self) -> Observer:
        return self.steps.observer

    def sound(self, module: LightningModule) -> bool:
        """Whether all weights are finite, and their averages."""
        averages = self.averages.state() if self.averages is not None else {}
        return all(
            bool(torch.isfinite(value).all()) for state in (module.state_dict(), averages) for value in state.values()
        )

    def in_place(self, module: LightningModule) -> AbstractContextManager[None]:
        """Inside, the module has the weights that are kept."""
        return self.averages.in_place(module) if self.averages else nullcontext()

    def setup(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        # Only now does a process know which of several it is.
        self.steps.draws.rank = trainer.global_rank
        if self.validator is not None:
            self.validator.rank = trainer.global_rank

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        # Before the first epoch Lightning has started the workers and got a batch: that is not in the time looked at.
        self.loader.waited = 0.0

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        steps, position = self.steps, self.position
        steps.interrupted = max(gather(steps.interrupted))
        steps.read()
        if steps.failure is not None:
            return
        complete = position.place.batch == 0
        over = self.progress.over(position.step)
        if steps.interrupted and not complete and not over:
            # It goes on later as if nothing had been: the record is written when the epoch is whole.
            self.stop_reason = INTERRUPTED
            return
        if not self.sound(module):
            # The loss of a step is that of the weights before it.
            steps.failure = Failure(f"training stopped at step {position.step}: a weight is not finite.", None)
            return
        number = position.place.epoch + (0 if complete else 1)
        of_all = gather(steps.losses_of_epoch())
        losses = {name: fmean(own[name] for own in of_all) for name in of_all[0]}
        ends = bool(trainer.should_stop and (over or not steps.interrupted))
        seconds, rate = self.progress.seconds, float(trainer.optimizers[0].param_groups[0]["lr"])
        busy, waited = steps.busy, self.loader.waited
        speed = steps.speed_of_epoch()
        scores = None
        if self.validator is not None and (ends or number % self.validate_every == 0):
            with self.progress.paused(), self.in_place(module):
                scores = self.validator.scores(module, gather)
            self._use(scores, module)
        record = EpochRecord(
            epoch=number,
            step=position.step,
            seconds=seconds,
            learning_rate=rate,
            losses=losses,
            images_per_second=speed,
            waiting=min(waited / busy, 1.0) if busy else 0.0,
            scores=scores,
        )
        position.history.append(record)
        best = best_of(position.history) is record
        if trainer.is_global_zero and best:
            with self.in_place(module):
                self.best(module)
        self.observer.epoch(record, best=best)
        steps.interrupted = max(gather(steps.interrupted))
        self.stop_reason = self._reason(trainer)
        if self.stop_reason:
            trainer.should_stop = True

    def _use(self, scores: Scores, module: LightningModule) -> None:
        module.log(VALIDATION_LOSS, scores.loss)
        if hasattr(module, "validated"):
            module.validated(scores.loss)

    def _reason(self, trainer: Trainer) -> str:
        history, hyperparameters = self.position.history, self.hyperparameters
        reason = target_reached(history, hyperparameters) or no_longer_better(history, hyperparameters)
        if reason:
            return reason
        overfitted = overfits(history, hyperparameters)
        if overfitted and hyperparameters.overfitting == "stop":
            return overfitted
        if overfitted and not self._warned:
            self._warned = True
            self.observer.note(overfitted)
        if self.steps.interrupted and not self.progress.over(self.position.step):
            return INTERRUPTED
        return BUDGET if trainer.should_stop else ""


def gather(own: Any) -> Sequence[Any]:
    """What each process has, in the order of their ranks."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return [own]
    everyone: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(everyone, own)
    return everyone
