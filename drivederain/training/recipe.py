"""How a method wants to be trained: a Lightning module and the shape of its batches."""

from __future__ import annotations

from dataclasses import dataclass

from lightning import LightningModule


@dataclass(frozen=True)
class Recipe:
    """What ``Method.training()`` returns.

    ``module.training_step`` receives a dict of float32 tensors B x 3 x crop x crop in [0, 1]: ``rainy``, ``clear`` and,
    for a refiner, ``estimate`` (the frozen prefix's output). The module sees ``self.trainer`` as usual in Lightning;
    ``steps`` of a schedule are set by the core through ``module.planned_steps``.
    """

    module: LightningModule
    crop: int = 160
    """Side of the square training crops, in pixels."""
    batch_size: int = 8
