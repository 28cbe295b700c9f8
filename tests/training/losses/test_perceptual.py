"""The VGG16 loss: its carried weights, its normalisation, against torchvision."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import VGG16_Weights, vgg16

from drivederain.errors import OptionError, WeightsError
from drivederain.training.losses.perceptual import VGG_FILE, VGG_SHA256, PerceptualLoss

Pictures = tuple[Tensor, Tensor]


@pytest.fixture(scope="module")
def perceptual() -> PerceptualLoss:
    return PerceptualLoss()


@pytest.fixture(scope="module")
def relu3_3() -> nn.Module:
    """The layers of torchvision's own network, with the carried weights."""
    with torch.device("meta"):
        network = vgg16(weights=None)
    state = {key: value.float() for key, value in load_file(VGG_FILE).items()}
    network.load_state_dict(state, strict=False, assign=True)
    layers: nn.Module = network.features[:16].eval().requires_grad_(False)
    return layers


def distance(network: nn.Module, output: Tensor, truth: Tensor) -> float:
    return float((network(output) - network(truth)).abs().mean())


def test_the_carried_vgg16_is_the_recorded_one() -> None:
    assert hashlib.sha256(VGG_FILE.read_bytes()).hexdigest() == VGG_SHA256
    assert VGG_SHA256 in VGG_FILE.with_suffix(".md").read_text(encoding="utf-8")


def test_inputs_are_normalised_as_torchvision_does(
    perceptual: PerceptualLoss, relu3_3: nn.Module, pictures: Pictures
) -> None:
    square = [picture[..., :40] for picture in pictures]
    prepare = VGG16_Weights.IMAGENET1K_V1.transforms(resize_size=40, crop_size=40)  # the size stays
    prepared = [prepare(picture) for picture in square]
    assert relu3_3(prepared[0]).shape[1:] == (256, 10, 10)
    assert float(perceptual(*square)) == pytest.approx(distance(relu3_3, *prepared), rel=1e-5)
    assert float(perceptual(square[1], square[1])) == 0


def test_without_the_normalisation_the_distance_would_be_another(
    perceptual: PerceptualLoss, relu3_3: nn.Module, pictures: Pictures
) -> None:
    """Pictures in [0, 1] vary less than a quarter as much as what the network was trained on: a third of the distance
    is left, so the same weight of the term would count a third.
    """
    ratio = distance(relu3_3, *pictures) / float(perceptual(*pictures))
    assert ratio == pytest.approx(0.32, abs=0.02)


def test_gradients_reach_the_output_and_not_the_network(perceptual: PerceptualLoss, pictures: Pictures) -> None:
    output = pictures[0].clone().requires_grad_()
    perceptual(output, pictures[1]).backward()
    assert output.grad is not None and float(output.grad.abs().sum()) > 0
    assert all(not weight.requires_grad and weight.grad is None for weight in perceptual.parameters())


def test_the_smallest_crop(perceptual: PerceptualLoss, pictures: Pictures) -> None:
    assert float(perceptual(*(picture[..., :4, :4] for picture in pictures))) > 0
    with pytest.raises(OptionError, match="vgg needs crops of at least 4 x 4 pixels"):
        perceptual(*(picture[..., :4, :3] for picture in pictures))


@pytest.mark.parametrize("content", [None, b"", b"not a safetensors file"])
def test_a_damaged_vgg16_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "vgg16.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"vgg16\.safetensors.*install drivederain again"):
        PerceptualLoss(file)
