"""The U-Net: its two architectures, its weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from drivederain.engine.device import DeviceRunner
from drivederain.errors import OptionError, WeightsError
from drivederain.weights import read_weights, serialise
from drivederain_methods.unet.method import UNet
from drivederain_methods.unet.options import UNetOptions

CPU = torch.device("cpu")
SMALL = UNetOptions(architecture="custom", width=8)
SHIPPED = UNetOptions(
    encoder="tu-resnet18", depth=4, decoder_channels=(128, 64, 48, 24), encoder_weights="none"
)  # fmt: skip
MakePicture = Callable[..., NDArray[np.uint8]]


def loaded(options: UNetOptions) -> UNet:
    method = UNet(options)
    method.load(None, CPU)
    return method


def test_custom_is_the_plan_s_network() -> None:
    """Five levels of two 3x3 convolutions with normalisation, 64 to 1024 channels, transposed convolutions up."""
    with torch.device("meta"):
        method = UNet(UNetOptions(architecture="custom"))
        method.load(None, torch.device("meta"))
    weights = {name: tuple(value.shape) for name, value in method.state().items() if value.ndim == 4}
    assert [weights[f"body.down.{level}.3.weight"][0] for level in range(5)] == [64, 128, 256, 512, 1024]
    assert method.facts()["parameters"] == 31_037_763
    assert method.facts()["network"] == "custom, width 64"


def test_custom_puts_out_a_picture_by_its_tanh() -> None:
    method = loaded(SMALL)
    with torch.no_grad():
        method.network.body.head.weight.mul_(1e4)
        output = method.restore(torch.rand(2, 3, 32, 48))
    assert output.shape == (2, 3, 32, 48)
    assert 0 <= float(output.min()) < 0.01 and 0.99 < float(output.max()) <= 1, "both ends of tanh are reached"
    assert not SMALL.residual


def test_residual_networks_start_at_the_identity() -> None:
    rainy = torch.rand(1, 3, 64, 64)
    for options in (SHIPPED, UNetOptions(architecture="custom", width=8, residual=True)):
        assert torch.equal(loaded(options).restore(rainy), rainy)


def test_the_shipped_network_keeps_its_layout() -> None:
    state = loaded(SHIPPED).state()
    assert (
        sum(value.numel() for name, value in state.items() if "running" not in name and "num_b" not in name)
        == 3_613_355
    )
    assert state["body.encoder.model.conv1.weight"].shape == (64, 3, 7, 7)
    assert state["body.segmentation_head.0.weight"].shape == (3, 24, 3, 3)


@pytest.mark.parametrize("size", [(64, 96), (33, 41), (100, 70), (7, 5)])
def test_pictures_of_any_size(
    make_runner: Callable[..., DeviceRunner], make_picture: MakePicture, size: tuple[int, int]
) -> None:
    picture = make_picture(1, *size)
    method = UNet(UNetOptions(architecture="custom", width=8, residual=True))
    output = make_runner("unet", method).restore(["a"], [picture], None)[0].pixels
    assert np.array_equal(output, picture), "an untrained residual network changes nothing"


@pytest.mark.parametrize("half", [False, True])
def test_trained_weights_are_read_back(tmp_path: Path, half: bool) -> None:
    method = loaded(SMALL)
    path = tmp_path / "unet.safetensors"
    path.write_bytes(serialise(method.state(), {"architecture": {"width": 8}}, half=half))
    again = UNet(SMALL)
    again.load(read_weights(path), CPU)
    for name, value in method.state().items():
        kept = value.half().float() if half and value.is_floating_point() else value
        assert torch.equal(again.state()[name], kept), name
    rainy = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(again.restore(rainy), method.restore(rainy), atol=2e-3 if half else 0)


def test_a_full_checkpoint_needs_no_encoder_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "unet.safetensors"
    path.write_bytes(serialise(loaded(SHIPPED).state(), {}))

    def refuse(*arguments: object, **more: object) -> str:
        raise AssertionError("encoder weights were asked for")

    monkeypatch.setattr("drivederain_methods.unet.encoder_weights.load_encoder_weights", refuse)
    method = UNet(SHIPPED.model_copy(update={"encoder_weights": "imagenet"}))
    method.may_download = True
    method.load(read_weights(path), CPU)
    assert method.facts()["encoder weights"] == "not needed: the weights are complete"


def test_weights_of_another_architecture_name_the_difference(tmp_path: Path) -> None:
    path = tmp_path / "unet.safetensors"
    path.write_bytes(serialise(loaded(SMALL).state(), {}))
    with pytest.raises(WeightsError, match=r"unet\.safetensors: .* of another shape \(body\.down\.0\.0\.weight\)"):
        UNet(UNetOptions(architecture="custom", width=16)).load(read_weights(path), CPU)
    with pytest.raises(WeightsError, match="keys missing"):
        UNet(SHIPPED).load(read_weights(path), CPU)


def test_encoders_that_do_not_exist() -> None:
    with pytest.raises(OptionError, match=r"unet\.encoder=resnt34.*Did you mean 'resnet34'"):
        loaded(UNetOptions(encoder="resnt34"))
    with pytest.raises(OptionError, match=r"unet\.encoder=tu-resnet1888"):
        loaded(UNetOptions(encoder="tu-resnet1888"))
    with pytest.raises(OptionError, match=r"decoder_channels has 5 entries, and unet\.depth=4 needs 4"):
        loaded(UNetOptions(depth=4))


def test_encoders_from_the_network_are_not_names() -> None:
    """timm would fetch the first from the hub and read the second from a folder, whatever ``--download`` says."""
    for encoder in ("tu-hf-hub:someone/some-model", "tu-local-dir:/somewhere", "tu-hf_hub:a", ""):
        with pytest.raises(ValidationError):
            UNetOptions(encoder=encoder)


def test_crops_that_the_network_cannot_take_are_refused() -> None:
    with pytest.raises(ValidationError, match="multiple of 32"):
        UNetOptions(crop=100)


def test_recipe_carries_the_options() -> None:
    options = UNetOptions(architecture="custom", width=8, crop=64, batch_size=3, learning_rate=2e-4, vgg_weight=0.3)
    recipe = loaded(options).training()
    assert (recipe.crop, recipe.batch_size) == (64, 3)
    assert recipe.module.loss.weights == {"l1": 1.0, "ssim": 0.2, "vgg": 0.3}
    assert recipe.module.learning_rate == 2e-4
