"""Restormer: official checkpoints, the full configuration, weights of our own."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from drivederain.engine.device import DeviceRunner
from drivederain.errors import SpecError, WeightsError
from drivederain.implementation import load_implementation
from drivederain.registry import Registry
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.weights import read_weights, serialise
from drivederain_methods.restormer.options import RestormerOptions
from drivederain_methods.restormer.plugin import drivederain_methods

pytest.importorskip("spandrel_extra_arches", reason="the extra nc is not installed")

from drivederain_methods.restormer.method import Restormer

CPU = torch.device("cpu")
TINY = RestormerOptions(dim=8, blocks=(1, 1, 1, 1), heads=(1, 1, 2, 2))
OFFICIAL = RestormerOptions(dim=48, blocks=(4, 6, 6, 8), refinement=4, heads=(1, 2, 4, 8), ffn=2.66)


def randomised(network: torch.nn.Module) -> None:
    """Give every parameter a value, so that no layer is the zero that training starts from."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


@pytest.fixture
def official(shared: Path) -> Path:
    folder = shared / "methods" / "restormer_small"
    if not folder.is_dir():
        pytest.skip(f"no golden case at {folder}")
    return folder


def picture(path: Path) -> NDArray[np.uint8]:
    return np.array(Image.open(path).convert("RGB"))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["even_96x128", "odd_93x131"])
def test_official_checkpoint_gives_what_the_official_code_gives(
    official: Path, name: str, make_runner: Callable[..., DeviceRunner]
) -> None:
    rainy = picture(official.parent / "inputs" / f"{name}.png")
    method = Restormer(RestormerOptions())
    runner = make_runner("restormer", method, read_weights(official / "deraining.pth"))
    ours = runner.restore([name], [rainy], None)[0].pixels.astype(int)
    assert np.abs(ours - picture(official / f"{name}_u8.png")).max() <= 1
    below, right = -rainy.shape[0] % 8, -rainy.shape[1] % 8
    tensor = torch.from_numpy(rainy).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        floats = method.restore(torch.nn.functional.pad(tensor, (0, right, 0, below), mode="reflect"))
    cut = floats[0, :, : rainy.shape[0], : rainy.shape[1]].permute(1, 2, 0).numpy()
    assert np.abs(cut - np.load(official / f"{name}.npy")).max() < 1e-4
    assert method.facts() == {"network": "dim 16", "parameters": 1_159_222}


def test_small_pictures_are_padded_to_a_multiple_of_8_as_the_official_code_does(
    make_runner: Callable[..., DeviceRunner], make_picture: Callable[..., NDArray[np.uint8]]
) -> None:
    method = Restormer(TINY)
    runner = make_runner("restormer", method)
    randomised(method.network)
    rainy = make_picture(3, 21, 30)
    ours = runner.restore(["small"], [rainy], None)[0].pixels
    tensor = torch.from_numpy(rainy).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        padded = method.restore(torch.nn.functional.pad(tensor, (0, 2, 0, 3), mode="reflect"))
    expected = (padded[0, :, :21, :30].clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
    assert np.array_equal(ours, expected)
    assert not np.array_equal(ours, rainy)


def test_the_official_configuration_has_the_official_number_of_parameters() -> None:
    with torch.device("meta"):
        network = Restormer(OFFICIAL).build()
    assert sum(parameter.numel() for parameter in network.parameters()) == 26_126_644
    assert len(network.state_dict()) == 494


def test_training_starts_at_the_identity() -> None:
    method = Restormer(TINY)
    method.load(None, CPU)
    rainy = torch.rand(1, 3, 16, 24)
    assert torch.equal(method.restore(rainy), rainy)
    assert method.training().hyperparameters.losses == {"l1": 1.0, "ssim": 0.2}


@pytest.mark.parametrize("official_layout", [True, False])
def test_weights_stored_as_float16_are_read(tmp_path: Path, official_layout: bool) -> None:
    method = Restormer(TINY)
    method.load(None, CPU)
    randomised(method.network)
    path = tmp_path / "restormer.safetensors"
    about = {} if official_layout else {"architecture": TINY.model_dump(include=set(Restormer.architecture))}
    path.write_bytes(serialise(method.state(), about, half=True))
    # Other people's files are read off the tensors, whatever the options are; ours are built from what they record.
    again = Restormer(RestormerOptions() if official_layout else TINY)
    again.load(read_weights(path), CPU)
    for name, value in method.state().items():
        assert again.state()[name].dtype == torch.float32
        assert torch.equal(again.state()[name], value.half().float()), name


def test_any_expansion_that_can_be_trained_can_be_read_back(tmp_path: Path) -> None:
    """The tensors alone do not tell 2.7: int(16 * 2.7) / 16 gives other widths further down."""
    options = RestormerOptions(dim=16, blocks=(1, 1, 1, 1), ffn=2.7)
    method = Restormer(options)
    method.load(None, CPU)
    path = tmp_path / "restormer.safetensors"
    path.write_bytes(
        serialise(method.state(), {"architecture": options.model_dump(include=set(Restormer.architecture))})
    )
    again = Restormer(options)
    again.load(read_weights(path), CPU)
    assert again.facts() == method.facts()


def test_other_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(serialise({"conv.weight": torch.zeros(1)}, {}))
    with pytest.raises(WeightsError, match=r"other\.safetensors: no Restormer checkpoint"):
        Restormer(RestormerOptions()).load(read_weights(path), CPU)
    method = Restormer(TINY)
    method.load(None, CPU)
    for broken in (
        {key: value for key, value in method.state().items() if key != "reduce_chan_level3.weight"},
        method.state() | {"encoder_level1.0.attn.temperature": torch.tensor(1.0)},
    ):
        path.write_bytes(serialise(broken, {}))
        with pytest.raises(WeightsError, match=r"other\.safetensors: spandrel does not read it"):
            Restormer(RestormerOptions()).load(read_weights(path), CPU)


def test_a_restormer_of_grey_pictures_is_refused(tmp_path: Path) -> None:
    method = Restormer(TINY)
    method.load(None, CPU)
    state = method.state()
    grey = state | {
        "patch_embed.proj.weight": state["patch_embed.proj.weight"][:, :1],
        "output.weight": state["output.weight"][:1],
    }
    path = tmp_path / "gaussian_gray_denoising.safetensors"
    path.write_bytes(serialise(grey, {}))
    with pytest.raises(WeightsError, match="a Restormer of 1 to 1 channels, not of RGB pictures"):
        Restormer(RestormerOptions()).load(read_weights(path), CPU)


def test_configurations_that_cannot_be_built_are_refused() -> None:
    with pytest.raises(ValidationError, match="level 1 has 16 channels, which 3 heads cannot share"):
        RestormerOptions(heads=(3, 3, 3, 3))
    for wrong in ({"dim": 9}, {"blocks": (0, 1, 1, 1)}, {"ffn": math.inf}, {"blocks": (1, 1, 1)}):
        with pytest.raises(ValidationError):
            RestormerOptions(**wrong)


def test_without_the_extra_it_says_what_to_install(registry: Registry) -> None:
    spec = registry.method("restormer")
    assert spec.non_commercial and "non-commercial" in spec.licence
    with pytest.raises(SpecError, match=r'method restormer needs no_such_module.*pip install "drivederain\[nc\]"'):
        load_implementation(
            spec.implementation, owner="method restormer", requires=(*spec.requires, "no_such_module"), extra=spec.extra
        )


def test_the_official_recipe_is_a_preset() -> None:
    """300,000 iterations, AdamW 3e-4, patches from 128 to 384 with batches from 8 to 1 on each GPU."""
    (preset,) = drivederain_methods()[0].presets
    recipe = Hyperparameters().changed(dict(preset.training), "")
    assert (preset.name, preset.budget, recipe.losses) == ("restormer-official", "300000 steps", {"l1": 1.0})
    assert (recipe.optimizer, recipe.learning_rate, recipe.weight_decay) == ("adamw", 3e-4, 1e-4)
    seen = [recipe.at(step / 300_000) for step in range(0, 300_000, 1000)]
    legs = list(dict.fromkeys(seen))
    assert legs == [(128, 8), (160, 5), (192, 4), (256, 2), (320, 1), (384, 1)]
    assert [seen.count(leg) for leg in legs] == [92, 64, 48, 36, 36, 24]
    options = RestormerOptions(**dict(preset.options))
    assert (options.dim, options.blocks, options.refinement, options.heads) == (48, (4, 6, 6, 8), 4, (1, 2, 4, 8))
