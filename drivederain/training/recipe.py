"""How a method wants to be trained: a Lightning module and hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass, field

from lightning import LightningModule

from drivederain.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Recipe:
    """What ``Method.training()`` returns.

    ``module.training_step`` receives a dict of float32 tensors B x 3 x crop x crop in [0, 1]: ``rainy``, ``clear`` and,
    for a refiner, ``estimate`` (the frozen prefix's output). A ``RestorationModule`` takes its loss, optimiser and
    schedule from the hyperparameters. Any other Lightning module brings its own, and of the hyperparameters obeys those
    of data, clipping, accumulation, averaging and stopping.
    """

    module: LightningModule
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    """The method's own; presets and the user override them."""
    crop_multiple: int | None = None
    """What sides of crops must be multiples of, in pixels; ``None``: the multiple that the spec has pictures padded to.
    """
    own_loss: str = ""
    """The loss in words, where the module brings its own and ``losses`` of the hyperparameters would do nothing: typing
    them is refused then.
    """
