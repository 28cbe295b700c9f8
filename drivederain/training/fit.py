"""Train one recipe within one budget, on Lightning."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from lightning import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.utils.data import DataLoader

from drivederain.data.sample import Sample
from drivederain.errors import MethodError
from drivederain.training.batches import Crops, Estimate
from drivederain.training.progress import Budget, Progress
from drivederain.training.recipe import Recipe

ReportProgress = Callable[[float, str], None]
"""Told the share of the budget that is used, and the losses in a few words."""

EMA_DECAY = 0.995
REPORT_SECONDS = 0.5
"""Progress is reported at most so often, and at the end."""


@torch.no_grad()
def _move_averages(averages: list[Tensor], currents: list[Tensor], updates: Tensor | int) -> None:
    """Exponential moving average whose decay warms up, so that short trainings do not keep their random start.

    What never changes (a frozen VGG) stays exactly as it is; counts of batches are taken over.
    """
    if not averages[0].is_floating_point():
        torch._foreach_copy_(averages, currents)
        return
    count = int(updates)
    decay = min(EMA_DECAY, (1 + count) / (10 + count))
    torch._foreach_lerp_(averages, currents, 1 - decay)


@dataclass(frozen=True)
class TrainingRecord:
    """What a training did, for the provenance of its weights."""

    steps: int
    seconds: float
    budget: str
    seed: int
    crop: int
    batch_size: int
    samples: int
    scenes: int
    precision: str
    losses: dict[str, float] = field(default_factory=dict)
    """Running means of the last steps, weighted as they were trained with."""
    hyperparameters: dict[str, float] = field(default_factory=dict)


class _WithinBudget(Callback):
    """Stops at the end of the budget, stops on a loss that is not finite, reports progress."""

    def __init__(self, progress: Progress, report: ReportProgress) -> None:
        self.progress, self.report, self.losses = progress, report, dict[str, float]()
        self.last_report = -math.inf

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        for name, value in trainer.callback_metrics.items():
            current = float(value)
            if not math.isfinite(current):
                raise MethodError(
                    f"training stopped at step {trainer.global_step}: {name} is {current}. Try a smaller learning rate."
                )
            self.losses[name] = current if name not in self.losses else 0.98 * self.losses[name] + 0.02 * current
        share = self.progress.fraction(trainer.global_step)
        if share >= 1 or time.monotonic() - self.last_report > REPORT_SECONDS:
            self.last_report = time.monotonic()
            words = ", ".join(f"{name.removeprefix('train/')} {value:.4f}" for name, value in self.losses.items())
            self.report(share, f"step {trainer.global_step}: {words}")
        if share >= 1:
            trainer.should_stop = True


def fit(
    recipe: Recipe,
    samples: Sequence[Sample],
    *,
    budget: Budget,
    seed: int,
    device: torch.device,
    precision: Literal["fp32", "bf16"] = "fp32",
    estimate: Estimate | None = None,
    report: ReportProgress = lambda share, words: None,
) -> TrainingRecord:
    """Train ``recipe.module`` in place; its weights end as their exponential moving average.

    With a budget in steps the same start, samples and seed give the same weights on the same machine and device, with
    the same threads and versions.

    Args:
        samples: rainy and clear pictures; the crops that are drawn depend on ``seed`` alone.
        estimate: for a refiner, gives the frozen prefix's output of a sample, uint8 H x W x 3.
        precision: ``bf16`` trains under autocast with float32 weights.

    Raises:
        DataError: nothing to train on.
        MethodError: the loss or a weight became NaN or infinite.
    """
    module, progress = recipe.module, Progress()
    crops = Crops(
        samples,
        crop=recipe.crop,
        batch_size=recipe.batch_size,
        seed=seed,
        estimate=estimate,
        pause=progress.paused,
    )
    watch = _WithinBudget(progress, report)
    started = time.monotonic()
    with _undisturbed():
        seed_everything(seed % 2**32, verbose=False)
        trainer = Trainer(
            accelerator={"cpu": "cpu", "cuda": "gpu", "mps": "mps"}[device.type],
            devices=1,
            precision="bf16-mixed" if precision == "bf16" else "32-true",
            # On the CPU everything is deterministic as it is; on CUDA it is asked for, and what cannot be goes on.
            deterministic="warn" if device.type == "cuda" else None,
            max_steps=budget.steps if budget.steps is not None else -1,
            max_epochs=-1,
            gradient_clip_val=getattr(module, "gradient_clip", 1.0),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[watch, WeightAveraging(use_buffers=True, multi_avg_fn=_move_averages)],
        )
        module.budget_progress = progress
        progress.start(budget)
        module.train()
        trainer.fit(module, DataLoader(crops, batch_size=None))
    module.eval()
    for name, value in module.state_dict().items():
        if not torch.isfinite(value).all():
            raise MethodError(f"training ended with {name} not finite. Try a smaller learning rate.")
    return TrainingRecord(
        steps=trainer.global_step,
        seconds=round(time.monotonic() - started, 1),
        budget=str(budget),
        seed=seed,
        crop=recipe.crop,
        batch_size=recipe.batch_size,
        samples=len(crops.samples),
        scenes=len({sample.scene for sample in crops.samples}),
        precision=precision,
        losses={name: round(value, 6) for name, value in watch.losses.items()},
        hyperparameters=module.hyperparameters() if hasattr(module, "hyperparameters") else {},
    )


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
