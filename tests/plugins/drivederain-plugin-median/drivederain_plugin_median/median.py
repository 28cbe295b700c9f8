"""The method."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from drivederain.method import LoadedWeights, Method


class Median(Method):
    """The median of the 3 x 3 neighbourhood, edges replicated."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """Nothing to load."""

    def restore(self, rainy: Tensor) -> Tensor:
        windows = pad(rainy, (1, 1, 1, 1), mode="replicate").unfold(2, 3, 1).unfold(3, 3, 1)
        return windows.flatten(-2).median(dim=-1).values
