"""Train one recipe within one budget, on Lightning."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Sequence
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
from drivederain.training.progress import Budget
from drivederain.training.recipe import Recipe

ReportProgress = Callable[[float, str], None]
"""Told the share of the budget that is used, and the losses in a few words."""

EMA_DECAY = 0.995


def _moving_average(average: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
    """Exponential moving average whose decay warms up, so that short trainings do not keep their random start."""
    count = int(updates)
    decay = min(EMA_DECAY, (1 + count) / (10 + count))
    return average * decay + current * (1 - decay)


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


class _WithinBudget(Callback):
    """Stops at the end of the budget, stops on a loss that is not finite, reports progress."""

    def __init__(self, budget: Budget, report: ReportProgress) -> None:
        self.budget, self.report, self.losses = budget, report, dict[str, float]()
        self.last_report = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        for name, value in trainer.callback_metrics.items():
            current = float(value)
            self.losses[name] = current if name not in self.losses else 0.98 * self.losses[name] + 0.02 * current
        loss = float(outputs["loss"])
        if loss != loss or loss in (float("inf"), float("-inf")):
            raise MethodError(f"training stopped at step {trainer.global_step}: the loss is {loss}. Try a smaller learning rate.")
        progress = module.budget_progress
        if time.monotonic() - self.last_report > 0.5 or progress.over(trainer.global_step):
            self.last_report = time.monotonic()
            words = ", ".join(f"{name.removeprefix('train/')} {value:.4f}" for name, value in self.losses.items())
            self.report(progress.fraction(trainer.global_step), f"step {trainer.global_step}: {words}")
        if progress.over(trainer.global_step):
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

    Args:
        samples: rainy and clear pictures; the crops that are drawn depend on ``seed`` alone.
        estimate: for a refiner, gives the frozen prefix's output of a sample, uint8 H x W x 3.
        precision: ``bf16`` trains under autocast with float32 weights.

    Raises:
        DataError: nothing to train on.
        MethodError: the loss became NaN or infinite.
    """
    seed_everything(seed % 2**32, verbose=False)
    module = recipe.module
    crops = Crops(samples, crop=recipe.crop, batch_size=recipe.batch_size, seed=seed, estimate=estimate)
    watch = _WithinBudget(budget, report)
    started = time.monotonic()
    with warnings.catch_warnings(), _quiet_lightning():
        # Lightning advises on workers, loggers and sync; none applies to an endless, in-memory set of crops.
        warnings.simplefilter("ignore")
        trainer = Trainer(
            accelerator={"cpu": "cpu", "cuda": "gpu", "mps": "mps"}[device.type],
            devices=1,
            precision="bf16-mixed" if precision == "bf16" else "32-true",
            max_steps=budget.steps if budget.steps is not None else -1,
            max_epochs=-1,
            gradient_clip_val=getattr(module, "gradient_clip", 1.0),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[watch, WeightAveraging(use_buffers=True, avg_fn=_moving_average)],
        )
        module.budget_progress.start(budget)
        module.train()
        trainer.fit(module, DataLoader(crops, batch_size=None))
    module.eval()
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
    )


class _quiet_lightning:
    """Lightning logs the hardware at each start; the run's own display says it once."""

    def __enter__(self) -> None:
        self.loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
        self.levels = [logger.level for logger in self.loggers]
        for logger in self.loggers:
            logger.setLevel(logging.ERROR)

    def __exit__(self, *error: object) -> None:
        for logger, level in zip(self.loggers, self.levels, strict=True):
            logger.setLevel(level)
