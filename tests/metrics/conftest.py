"""Pictures and metrics that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from drivederain.metrics.altered import Altered
from drivederain.metrics.fidelity import MSE, PSNR
from drivederain.metrics.metric import Metric
from drivederain.metrics.perceptual import LPIPS
from drivederain.metrics.structural import SSIM

MAKERS: dict[str, type[Metric]] = {
    "psnr": PSNR,
    "ssim": SSIM,
    "mse": MSE,
    "psnr_y": PSNR,
    "ssim_y": SSIM,
    "lpips": LPIPS,
    "altered": Altered,
}


@pytest.fixture(scope="session")
def load_picture() -> Callable[[Path], Tensor]:
    """Reader of a picture as uint8 1 x 3 x H x W, RGB."""

    def load(path: Path) -> Tensor:
        return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].contiguous()

    return load


@pytest.fixture(scope="session")
def metric_of() -> Callable[[str, str], Metric]:
    """Metrics by name and variant, loaded on the CPU once."""
    made: dict[tuple[str, str], Metric] = {}

    def make(name: str, variant: str) -> Metric:
        if (name, variant) not in made:
            made[name, variant] = MAKERS[name](variant)
            made[name, variant].load(torch.device("cpu"))
        return made[name, variant]

    return make


@pytest.fixture
def random_pictures() -> Callable[..., Tensor]:
    """Maker of uint8 B x 3 x H x W noise from a seed."""

    def make(seed: int, batch: int, height: int, width: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(0, 256, (batch, 3, height, width), dtype=torch.uint8, generator=generator)

    return make
