"""Random pictures and what is near them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

Pictures = tuple[Tensor, Tensor]


def drawn(height: int, width: int) -> Pictures:
    """A restored picture and its truth, 2 x 3 x H x W in [0, 1]."""
    generator = torch.Generator().manual_seed(3)
    truth = torch.rand(2, 3, height, width, generator=generator)
    return truth * 0.8 + 0.1 * torch.rand(truth.shape, generator=generator), truth


@pytest.fixture(scope="session")
def pictures() -> Pictures:
    """Of 40 x 48 pixels."""
    return drawn(40, 48)


@pytest.fixture(scope="session")
def large_pictures() -> Pictures:
    """Of 176 x 192 pixels: MS-SSIM halves each side four times without a rest."""
    return drawn(176, 192)
