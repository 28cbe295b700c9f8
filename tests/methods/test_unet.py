"""The U-Net: its two architectures, its weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import ValidationError

from drivederain.engine.device import DeviceRunner
from drivederain.engine.options import method_options
from drivederain.errors import OptionError, WeightsError
from drivederain.registry import Registry
from drivederain.weights import read_weights, serialise
from drivederain_methods.unet.method import UNet
from drivederain_methods.unet.options import UNetOptions
from drivederain_methods.unet.plugin import drivederain_methods

CPU = torch.device("cpu")
SMALL = UNetOptions(architecture="custom", width=8)
SHIPPED = UNetOptions(
    encoder="tu-resnet18", depth=4, decoder_channels=(128, 64, 48, 24), encoder_weights="none"
)  # fmt: skip
MakePicture = Callable[..., NDArray[np.uint8]]
MakeRunner = Callable[..., DeviceRunner]


def loaded(options: UNetOptions) -> UNet:
    method = UNet(options)
    method.load(None, CPU)
    return method


@pytest.mark.parametrize(
    ("options", "parameters", "network"),
    [
        ({}, 31_037_763, "custom, 64-128-256-512-1024, max-pool, transposed"),
        ({"width": 32}, 7_763_107, "custom, 32-64-128-256-512, max-pool, transposed"),
        ({"depth": 4}, 7_700_291, "custom, 64-128-256-512, max-pool, transposed"),
        ({"depth": 4, "width": 32}, 1_927_075, "custom, 32-64-128-256, max-pool, transposed"),
        ({"depth": 4, "downsampling": "stride"}, 8_044_803, "custom, 64-128-256-512, strided convolution, transposed"),
        ({"depth": 4, "upsampling": "upsample"}, 8_560_451, "custom, 64-128-256-512, max-pool, upsample + convolution"),
    ],
)
def test_custom_is_the_plan_s_network(options: dict[str, Any], parameters: int, network: str) -> None:
    """Levels of two 3x3 convolutions with normalisation, and what is chosen between them."""
    with torch.device("meta"):
        method = UNet(UNetOptions(architecture="custom", **options))
        method.load(None, torch.device("meta"))
    weights = {name: tuple(value.shape) for name, value in method.state().items() if value.ndim == 4}
    levels = [str(weights[f"body.down.{level}.3.weight"][0]) for level in range(options.get("depth", 5))]
    assert "-".join(levels) in network
    assert method.facts()["parameters"] == parameters
    assert method.facts()["network"] == network


def test_custom_keeps_its_layout() -> None:
    """Weights in circulation have these names; those written before a choice existed lack it, and get the defaults."""
    blocks = [f"down.{level}" for level in range(5)] + [f"merge.{level}" for level in range(4)]
    statistics = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = {f"body.{block}.{place}.weight" for block in blocks for place in (0, 3)}
    names |= {f"body.{block}.{place}.{name}" for block in blocks for place in (1, 4) for name in statistics}
    names |= {
        f"body.{layer}.{name}" for layer in ("up.0", "up.1", "up.2", "up.3", "head") for name in ("weight", "bias")
    }
    old = {"architecture": "custom", "encoder": "resnet34", "depth": 5, "residual": False, "width": 8}
    assert loaded(UNetOptions(**old)).state().keys() == names


def old_forward(state: dict[str, torch.Tensor], rainy: torch.Tensor) -> torch.Tensor:
    """The custom network of the plan, written out on its state dict."""

    def block(name: str, features: torch.Tensor) -> torch.Tensor:
        for place in (0, 3):
            features = F.conv2d(features, state[f"body.{name}.{place}.weight"], padding=1)
            norm = [
                state[f"body.{name}.{place + 1}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")
            ]
            features = F.batch_norm(features, *norm).relu()
        return features

    skips = [block("down.0", rainy * 2 - 1)]
    for level in range(1, 5):
        skips.append(block(f"down.{level}", F.max_pool2d(skips[-1], 2)))
    features = skips.pop()
    for level in range(4):
        up = F.conv_transpose2d(features, state[f"body.up.{level}.weight"], state[f"body.up.{level}.bias"], stride=2)
        features = block(f"merge.{level}", torch.cat([skips.pop(), up], 1))
    return torch.tanh(F.conv2d(features, state["body.head.weight"], state["body.head.bias"]))


@pytest.mark.parametrize("residual", [False, True])
def test_tanh_is_the_picture_or_the_change(residual: bool) -> None:
    method = loaded(SMALL.model_copy(update={"residual": residual}))
    rainy = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        method.network.body.head.weight.normal_()
        tanh = old_forward(method.state(), rainy)
        assert torch.allclose(method.restore(rainy), rainy + tanh if residual else (tanh + 1) / 2, atol=1e-6)


def test_custom_puts_out_a_picture_by_its_tanh() -> None:
    method = loaded(SMALL.model_copy(update={"residual": False}))
    with torch.no_grad():
        method.network.body.head.weight.mul_(1e4)
        output = method.restore(torch.rand(2, 3, 32, 48))
    assert output.shape == (2, 3, 32, 48)
    assert 0 <= float(output.min()) < 0.01 and 0.99 < float(output.max()) <= 1, "both ends of tanh are reached"


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
def test_pictures_of_any_size(make_runner: MakeRunner, make_picture: MakePicture, size: tuple[int, int]) -> None:
    picture = make_picture(1, *size)
    method = UNet(UNetOptions(architecture="custom", width=8, residual=True))
    output = make_runner("unet", method).restore(["a"], [picture], None)[0].pixels
    assert np.array_equal(output, picture), "an untrained residual network changes nothing"


@pytest.mark.parametrize("depth", [4, 5])
@pytest.mark.parametrize("downsampling", ["maxpool", "stride"])
@pytest.mark.parametrize("upsampling", ["transposed", "upsample"])
def test_every_custom_network_restores_and_learns(
    make_runner: MakeRunner, make_picture: MakePicture, depth: int, downsampling: str, upsampling: str
) -> None:
    options = UNetOptions(
        architecture="custom", width=8, depth=depth, downsampling=downsampling, upsampling=upsampling, residual=True
    )
    restores_and_learns(UNet(options), make_runner, make_picture(1, 41, 67))


@pytest.mark.parametrize(
    ("encoder", "depth"),
    [
        ("resnet34", 5),
        ("resnet50", 4),
        ("efficientnet-b0", 5),
        ("mobilenet_v2", 3),
        ("vgg11", 5),  # has a block at the bottom of its own
        ("mit_b0", 5),  # a transformer without a half-size stage
        ("tu-convnext_atto", 4),  # no half-size stage
        ("tu-regnetx_002", 5),
        ("tu-swin_tiny_patch4_window7_224", 3),  # of one size, unless told otherwise
    ],
)
def test_encoders_restore_and_learn(
    make_runner: MakeRunner, make_picture: MakePicture, encoder: str, depth: int
) -> None:
    decoder = (32, 24, 16, 16, 8)[:depth]
    method = UNet(UNetOptions(encoder=encoder, depth=depth, decoder_channels=decoder, encoder_weights="none"))
    restores_and_learns(method, make_runner, make_picture(1, 41, 67))
    assert method.facts()["network"] == f"{encoder}, depth {depth}"


def restores_and_learns(method: UNet, make_runner: MakeRunner, picture: NDArray[np.uint8]) -> None:
    """It starts at the identity, every weight moves within two steps, and a picture of odd size keeps its size."""
    torch.manual_seed(0)
    runner = make_runner("unet", method)
    assert np.array_equal(runner.restore(["a"], [picture], None)[0].pixels, picture)
    network, rainy, clear = method.network, torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    first_layer = next(network.parameters()).detach().clone()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=0)
    network.train()
    for _ in range(2):  # in the first step only the last layer can move, for it is zero
        optimizer.zero_grad()
        (network(rainy) - clear).abs().mean().backward()
        optimizer.step()
    network.eval()
    assert all(torch.isfinite(parameter).all() for parameter in network.parameters())
    assert not torch.equal(next(network.parameters()), first_layer), "gradients reach the first layer"
    restored = runner.restore(["a"], [picture], None)[0].pixels
    assert restored.shape == picture.shape
    assert not np.array_equal(restored, picture)


def test_dropout_is_at_the_bottom_and_in_training_only() -> None:
    torch.manual_seed(0)
    method = loaded(SMALL.model_copy(update={"dropout": 0.5}))
    rainy, dropped = torch.rand(1, 3, 32, 48), []
    method.network.body.dropout.register_forward_hook(lambda layer, given, output: dropped.append(output))
    assert torch.equal(method.restore(rainy), method.restore(rainy))
    method.network.train()
    method.restore(rainy)
    resting, training = dropped[0], dropped[-1]
    assert training.shape == (1, 128, 2, 3)
    empty = [int((features.amax((2, 3)) == 0).sum()) for features in (resting, training)]
    assert empty[0] < 20 and 40 < empty[1] < 88, "about half of the channels are nothing, and only in training"


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


@pytest.mark.parametrize(
    "choice", [{"depth": 4}, {"width": 16}, {"downsampling": "stride"}, {"upsampling": "upsample"}]
)  # fmt: skip
def test_options_that_decide_the_network_are_stored_with_it(tmp_path: Path, choice: dict[str, Any]) -> None:
    """Weights of the one do not load as the other's, so what decides it has to lie beside them."""
    path = tmp_path / "unet.safetensors"
    path.write_bytes(serialise(loaded(SMALL.model_copy(update=choice)).state(), {}))
    with pytest.raises(WeightsError, match="of another architecture"):
        UNet(SMALL).load(read_weights(path), CPU)
    assert choice.keys() <= set(UNet.architecture)


def test_custom_networks_have_four_or_five_levels(registry: Registry) -> None:
    given = {"architecture": "custom", "depth": "3"}
    with pytest.raises(OptionError, match=r"--set unet\.depth=3: .*architecture=custom has 4 or 5 levels"):
        method_options(registry.method("unet"), given)
    assert UNetOptions(depth=3).depth == 3


@pytest.mark.parametrize(
    ("encoder", "why"),
    [
        ("tu-coat_lite_tiny", r"fails at 64 x 96 pixels \(AssertionError: Input height"),
        ("tu-vit_tiny_patch16_224", r"does not build it with unet\.depth=3.*downsampling pattern"),
    ],
)
def test_encoders_that_cannot_be_used_say_so_at_once(encoder: str, why: str) -> None:
    with pytest.raises(OptionError, match=rf"unet\.encoder={encoder}: .*{why}"):
        loaded(UNetOptions(encoder=encoder, depth=3, decoder_channels=(16, 16, 8), encoder_weights="none"))


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


def test_the_plan_s_recipe_is_a_preset() -> None:
    (preset,) = drivederain_methods()[0].presets
    recipe = loaded(SMALL).training().hyperparameters.changed(dict(preset.training), "")
    assert (preset.name, preset.budget, recipe.crop, recipe.size, recipe.batch_size) == (
        "phase2",
        "100 epochs",
        256,
        256,
        8,
    )
    assert recipe.losses == {"l1": 1.0, "vgg": 0.1, "ssim": 0.1}
    assert (recipe.optimizer, recipe.learning_rate, recipe.schedule, recipe.factor) == ("adam", 1e-4, "plateau", 0.5)
    assert (recipe.plateau_patience, recipe.patience, recipe.target_psnr, recipe.target_ssim) == (5, 15, 28.0, 0.85)
