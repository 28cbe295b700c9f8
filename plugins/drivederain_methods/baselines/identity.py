"""The rainy input, unchanged."""

from __future__ import annotations

import torch
from torch import Tensor

from drivederain.method import LoadedWeights, Method


class Identity(Method):
    """Returns its input; every other method's gain is measured against it."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """Nothing to load."""

    def restore(self, rainy: Tensor) -> Tensor:
        return rainy
