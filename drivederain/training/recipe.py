"""How a method wants to be trained: a Lightning module and the shape of its batches."""

from __future__ import annotations

from dataclasses import dataclass

from lightning import LightningModule


@dataclass(frozen=True)
class Recipe:
    """What ``Method.training()`` returns.

    ``module.training_step`` receives a dict of float32 tensors B x 3 x crop x crop in [0, 1]: ``rainy``, ``clear`` and,
    for a refiner, ``estimate`` (the frozen prefix's output). The core sets ``module.budget_progress``, a
    ``drivederain.training.progress.Progress``, from which a schedule reads how much of the budget is used. Gradients
    are clipped to the norm ``module.gradient_clip`` (1 where there is none; ``None``: not at all), and the trained
    weights are an exponential moving average. ``module.hyperparameters()``, if there, is recorded with the weights.
    """

    module: LightningModule
    crop: int = 160
    """Side of the square training crops, in pixels."""
    batch_size: int = 8
