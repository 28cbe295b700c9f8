"""Train one recipe within one budget, on Lightning."""

from __future__ import annotations

import logging
import math
import signal
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from drivederain.data.fresh_rain import has_drawn_rain
from drivederain.errors import DriveDeRainError, MethodError
from drivederain.training.averages import Averages
from drivederain.training.crops import Crops, collate, settle_worker, start_method
from drivederain.training.data import Estimate, Prefix, TrainingData
from drivederain.training.devices import Devices
from drivederain.training.draws import Draws, Order
from drivederain.training.epochs import BUDGET, Epochs, TimedLoader
from drivederain.training.events import Events
from drivederain.training.folds import Folds
from drivederain.training.fresh_estimates import MARGIN, FreshEstimates
from drivederain.training.gallery import Gallery
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.observer import Observer, Unobserved
from drivederain.training.plan import check_plan
from drivederain.training.progress import Budget, Progress
from drivederain.training.recipe import Recipe
from drivederain.training.record import TrainingRecord, record_maker
from drivederain.training.saving import Keeping, Saver
from drivederain.training.state import Position, position_of, read_state, restore
from drivederain.training.steps import Steps
from drivederain.training.stopping import no_longer_better, overfits, target_reached
from drivederain.training.validation import Restore, Validator

_LIGHTNING_PRECISION = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fit(
    recipe: Recipe,
    data: TrainingData,
    *,
    budget: Budget,
    seed: int,
    devices: Devices,
    estimate: Estimate | None = None,
    prefixes: Sequence[Prefix] = (),
    folds: Folds | None = None,
    estimate_to_validate: Estimate | None = None,
    validate: Restore | None = None,
    validate_every: int = 1,
    observer: Observer | None = None,
    keeping: Keeping | None = None,
    callbacks: Sequence[Callback] = (),
) -> TrainingRecord:
    """Train ``recipe.module`` in place; its weights end as their exponential moving average after the last step.

    With a budget in steps or epochs the same start, data and seed give the same weights on the same machine and device,
    with the same threads and versions, whether or not the training was stopped and resumed on the way.

    Args:
        estimate: for a refiner, gives the frozen prefix's output of a sample, uint8 H x W x 3; it may be kept.
        prefixes: for a refiner, the frozen prefix. With it every step makes its estimates, where rain is drawn anew.
        folds: of the training scenes, where there are several prefixes: each has not seen the scenes of its fold.
        estimate_to_validate: where it is another than that trained on.
        validate: the method as it is used; with it the validation pictures are scored every ``validate_every`` epochs.
        keeping: where checkpoints go, and whether to go on from them. With it Ctrl-C and SIGTERM end the training after
            the step at hand.
        callbacks: called after ours, so that they see the history of the epoch.

    Raises:
        DataError: nothing to train on, a folder that cannot be written, a checkpoint that cannot be read.
        OptionError: hyperparameters that do not fit the data.
        MethodError: the loss or a weight became NaN or infinite, or the loss exploded.
    """
    hyperparameters, module = recipe.hyperparameters, recipe.module
    parts = data.with_truth
    check_plan(hyperparameters, data, devices, budget, refines=estimate is not None, validates=validate is not None)
    position, state = Position(), None
    if keeping is not None:
        keeping.check()
        if keeping.resume and keeping.folder.state.exists():
            state = read_state(keeping.folder.state)
            position = position_of(state)
    observer = observer or Unobserved()
    progress = Progress()
    world = devices.count * devices.nodes
    sizes = [len(part.samples) for part in parts]
    weights = [part.weight for part in parts if part.weight is not None]
    epoch_batches = hyperparameters.epoch_steps or math.ceil(sum(sizes) / (hyperparameters.batch_size * world))
    epoch_steps = math.ceil(epoch_batches / hyperparameters.accumulate)
    progress.start(budget, steps_per_epoch=epoch_steps, earlier_seconds=position.seconds)

    def steps_before(batch: int) -> int:
        """Every epoch ends with a step, also where its last batches are fewer than make one."""
        epoch, of_epoch = divmod(batch, epoch_batches)
        return epoch * epoch_steps + of_epoch // hyperparameters.accumulate

    record = record_maker(
        position, hyperparameters, data, budget=budget, seed=seed, precision=devices.precision, progress=progress
    )
    already = _already_over(position, progress, hyperparameters)
    if already:
        return record(already, position.means)
    draws = Draws(
        Order(seed, sizes, weights or None),
        lambda batch: hyperparameters.at(progress.fraction(steps_before(batch))),
        epoch_batches,
        place=position.place,
        world=world,
        unlabelled=Order(seed, [len(data.photos)]) if hyperparameters.consistency else None,
    )
    fresh = None
    if prefixes and hyperparameters.fresh_rain and any(map(has_drawn_rain, data.samples)):
        fresh = FreshEstimates(prefixes, progress.paused)
    kept = estimate if fresh is None else None
    workers = 0 if kept is not None else devices.loaders
    crops = Crops(
        data,
        hyperparameters,
        seed=seed,
        estimate=kept,
        margin=MARGIN if fresh is not None else 0,
        folds=folds if fresh is not None else None,
        pause=progress.paused,
        workers=workers,
    )
    loader = TimedLoader(
        crops,
        batch_sampler=draws,
        collate_fn=collate,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=devices.device.type == "cuda",
        worker_init_fn=settle_worker,
        multiprocessing_context=start_method() if workers else None,
    )
    loader.complete = fresh
    steps = Steps(position, progress, draws, hyperparameters, observer, seed)
    averages = Averages(hyperparameters.ema) if hyperparameters.ema else None
    validator = None
    if validate is not None and data.validation:
        validator = Validator(
            data.validation,
            validate,
            crop=hyperparameters.smallest_crop,
            batch_size=hyperparameters.batch_size,
            estimate=estimate_to_validate or estimate,
            world=world,
        )
    epochs = Epochs(steps, validator, loader, averages, validate_every=validate_every)
    ours: list[Callback] = [*([averages] if averages else []), _Resume(state, averages), steps, epochs]
    saver = None
    if keeping is not None:
        saver = Saver(keeping, epochs, crops, record)
        epochs.best = saver.best
        ours.append(Events(keeping.folder, epochs, tensorboard=keeping.tensorboard))
        if validate is not None:
            ours.append(Gallery(keeping, epochs, data, validate))
        # After all else that an epoch leaves: what is kept says that it is done.
        ours += [saver, _StopGently(steps)]
    with _undisturbed():
        torch.manual_seed(seed % 2**32)
        trainer = Trainer(
            accelerator={"cpu": "cpu", "cuda": "gpu", "mps": "mps"}[devices.device.type],
            devices=devices.count,
            num_nodes=devices.nodes,
            strategy=devices.strategy if world > 1 else "auto",
            precision=_LIGHTNING_PRECISION[devices.precision],
            # On the CPU everything is deterministic as it is; on CUDA it is asked for, and what cannot be goes on.
            deterministic="warn" if devices.device.type == "cuda" else None,
            max_epochs=-1,
            accumulate_grad_batches=hyperparameters.accumulate,
            gradient_clip_val=hyperparameters.gradient_clip,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[*ours, *callbacks],
        )
        if isinstance(module, RestorationModule):
            module.prepare(hyperparameters, progress)
            if hyperparameters.channels_last:
                module.network.to(memory_format=torch.channels_last)
            if hyperparameters.compile:
                module.network.compile()
        module.train()
        trainer.fit(module, loader)
    module.eval()
    if steps.failure is not None:
        raise MethodError(_advice(steps, saver, hyperparameters))
    for name, value in module.state_dict().items():
        if not torch.isfinite(value).all():
            raise MethodError(f"training ended with {name} not finite. {_smaller(hyperparameters)}")
    return replace(record(epochs.stop_reason, position.means), signal=steps.interrupted)


class _StopGently(Callback):
    """Ctrl-C and SIGTERM let the step at hand end, and a checkpoint be written; the second time they end it at once."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.steps.interrupted = number
        self._put_back()

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._put_back()

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        self._put_back()

    def _put_back(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before.clear()


class _Resume(Callback):
    """Puts a kept state back when the optimisers are there."""

    def __init__(self, state: Mapping[str, Any] | None, averages: Averages | None) -> None:
        self.state, self.averages = state, averages

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        if self.state is not None:
            restore(self.state, trainer, module, self.averages)
            self.state = None


def _already_over(position: Position, progress: Progress, hyperparameters: Hyperparameters) -> str:
    """Why a resumed training has nothing left to do; "" where it has."""
    if position.step == 0:
        return ""
    if progress.over(position.step):
        return BUDGET
    overfitted = overfits(position.history, hyperparameters) if hyperparameters.overfitting == "stop" else ""
    return (
        target_reached(position.history, hyperparameters)
        or no_longer_better(position.history, hyperparameters)
        or overfitted
    )


def _advice(steps: Steps, saver: Saver | None, hyperparameters: Hyperparameters) -> str:
    assert steps.failure is not None
    words = f"{steps.failure.reason} {_smaller(hyperparameters)}"
    try:
        kept = saver.failed_batch(steps.failure) if saver is not None else None
    except (OSError, DriveDeRainError) as error:
        return f"{words} Its batch could not be kept: {getattr(error, 'strerror', None) or error}."
    if kept is not None:
        words += f" Its batch is kept in {kept}."
    return words


def _smaller(hyperparameters: Hyperparameters) -> str:
    rate = float(f"{hyperparameters.learning_rate / 3:.1g}")
    return f"Try a smaller learning rate: training.learning_rate={rate:g}."


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Lightning says nothing and leaves nothing behind: logging, determinism and Ctrl-C are afterwards as before."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    levels = [logger.level for logger in loggers]
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    main = threading.current_thread() is threading.main_thread()
    interrupt = signal.getsignal(signal.SIGINT)
    for logger in loggers:
        logger.setLevel(logging.ERROR)  # the hardware is in the run's own record
    try:
        with warnings.catch_warnings():
            # It advises on workers, loggers and sync; none applies to an endless, in-memory set of crops.
            warnings.simplefilter("ignore")
            yield
    except SystemExit as error:
        # Lightning makes Ctrl-C a silent exit and ignores the signal from then on.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        if main:
            signal.signal(signal.SIGINT, interrupt)
