"""LPIPS as a loss: the benchmark's value, with gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from drivederain.errors import OptionError
from drivederain.metrics.perceptual import LPIPS
from drivederain.training.losses.learned import LPIPSLoss

Pictures = tuple[Tensor, Tensor]


@pytest.fixture(scope="module")
def learned() -> LPIPSLoss:
    return LPIPSLoss()


@pytest.mark.parametrize("size", [(31, 31), (40, 48)])
def test_is_what_the_benchmark_measures(learned: LPIPSLoss, pictures: Pictures, size: tuple[int, int]) -> None:
    different = (pictures[1].flip(-1), pictures[1])
    output, truth = (picture[..., : size[0], : size[1]].mul(255).round() for picture in different)
    metric = LPIPS("alex")
    metric.load(torch.device("cpu"))
    measured = metric.score(output.byte(), truth.byte(), None)["image"]
    assert float(learned(output / 255, truth / 255)) == pytest.approx(float(measured.mean()), abs=1e-5)
    assert float(measured.mean()) > 0.02  # far above what it may differ by


def test_training_mode_changes_nothing(learned: LPIPSLoss, pictures: Pictures) -> None:
    """The lpips package has dropout before its heads; Lightning may put all that it trains into training mode."""
    before = float(learned.eval()(*pictures))
    assert float(learned.train()(*pictures)) == before


def test_gradients_reach_the_output_and_not_the_network(learned: LPIPSLoss, pictures: Pictures) -> None:
    output = pictures[0].clone().requires_grad_()
    learned(output, pictures[1]).backward()
    assert output.grad is not None and float(output.grad.abs().sum()) > 0
    assert all(not weight.requires_grad and weight.grad is None for weight in learned.parameters())


def test_the_smallest_crop(learned: LPIPSLoss, pictures: Pictures) -> None:
    with pytest.raises(OptionError, match="lpips needs crops of at least 31 x 31 pixels"):
        learned(*(picture[..., :30, :] for picture in pictures))
