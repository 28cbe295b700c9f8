"""A plugin for the fault tests: methods that cost little, and take long enough to be killed at their work."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from drivederain.hookspecs import hookimpl
from drivederain.method import LoadedWeights, Method, Refiner
from drivederain.specs import MethodSpec


class Brighten(Method):
    """At once."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """It has no weights."""

    def restore(self, rainy: Tensor) -> Tensor:
        return rainy * 1.1


class Slow(Brighten):
    """A tenth of a second a picture, and noise that must not depend on which process it is drawn in."""

    def restore(self, rainy: Tensor) -> Tensor:
        time.sleep(0.1)
        noise = [torch.rand(rainy.shape[1:], generator=generator) for generator in self.generators]
        return (rainy + 0.2 * torch.stack(noise)).clamp(0, 1)


class Average(Refiner):
    """A refiner, so that the outputs of the stage before it are read from the cache."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """It has no weights."""

    def refine(self, rainy: Tensor, estimate: Tensor) -> Tensor:
        time.sleep(0.05)
        return (rainy + estimate) / 2


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec("brighten", "brightens", "stage", f"{__name__}:Brighten", needs_weights=False),
        MethodSpec("slow", "adds noise", "stage", f"{__name__}:Slow", needs_weights=False, stochastic=True),
        MethodSpec("average", "averages", "refiner", f"{__name__}:Average", needs_weights=False),
    ]
