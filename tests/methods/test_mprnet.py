"""MPRNet: official checkpoints, the full configuration, weights of our own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from drivederain.errors import WeightsError
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.losses.restoration import RestorationLoss
from drivederain.training.progress import Progress
from drivederain.weights import read_weights, serialise
from drivederain_methods.mprnet.options import MPRNetOptions
from drivederain_methods.mprnet.plugin import drivederain_methods

pytest.importorskip("spandrel_extra_arches", reason="the extra nc is not installed")

from drivederain_methods.mprnet.method import MPRNet

CPU = torch.device("cpu")
TINY = MPRNetOptions(channels=8, growth=4, full_growth=4, blocks=1)
OFFICIAL = MPRNetOptions(channels=40, growth=20, full_growth=16, blocks=8)


def randomised(network: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


def test_the_official_configuration_has_the_official_number_of_parameters() -> None:
    with torch.device("meta"):
        network = MPRNet(OFFICIAL).build()
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_637_249
    assert len(network.state_dict()) == 316


def test_training_starts_at_the_identity_of_all_stages() -> None:
    method = MPRNet(TINY)
    method.load(None, CPU)
    rainy = torch.rand(1, 3, 16, 24)
    assert all(torch.equal(stage, rainy) for stage in method.network(rainy))


def test_an_official_checkpoint_is_read_as_it_is(tmp_path: Path) -> None:
    network = MPRNet(TINY).build()
    randomised(network)
    path = tmp_path / "model_deraining.pth"
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"epoch": 250, "state_dict": state, "optimizer": {"step": 1}}, path)
    method = MPRNet(MPRNetOptions())
    method.load(read_weights(path), CPU)
    rainy = torch.rand(1, 3, 24, 16)
    assert torch.equal(method.restore(rainy), network.eval()(rainy)[0])
    assert method.facts()["network"] == "three stages, 8 channels"
    # What is trained from it is read off its file, too.
    further = tmp_path / "further.safetensors"
    further.write_bytes(serialise(method.state(), {"architecture": method.network_options()}))
    again = MPRNet(MPRNetOptions())
    again.load(read_weights(further), CPU)
    assert torch.equal(again.restore(rainy), method.restore(rainy))


def test_it_trains_on_all_stages() -> None:
    method = MPRNet(TINY)
    method.load(None, CPU)
    randomised(method.network)
    recipe = method.training()
    hyperparameters = recipe.hyperparameters.changed({"losses": {"charbonnier": 1.0, "edge": 0.05}}, "")
    recipe.module.prepare(hyperparameters, Progress())
    batch = {"rainy": torch.rand(1, 3, 16, 16), "clear": torch.rand(1, 3, 16, 16)}
    loss = RestorationLoss(charbonnier=1.0, edge=0.05)
    wanted = torch.stack([loss(stage, batch["clear"])["loss"] for stage in method.network(batch["rainy"])]).sum()
    assert torch.allclose(recipe.module.training_losses(batch)["loss"], wanted)


def test_other_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(serialise({"conv.weight": torch.zeros(1)}, {}))
    with pytest.raises(WeightsError, match=r"other\.safetensors: no MPRNet checkpoint"):
        MPRNet(MPRNetOptions()).load(read_weights(path), CPU)
    state = {name: value for name, value in MPRNet(TINY).build().state_dict().items() if name != "tail.weight"}
    path.write_bytes(serialise(state, {}))
    with pytest.raises(WeightsError, match=r"other\.safetensors: spandrel does not read it as MPRNet"):
        MPRNet(MPRNetOptions()).load(read_weights(path), CPU)


def test_channels_that_cannot_be_reduced_are_refused() -> None:
    with pytest.raises(ValidationError, match="9 channels cannot be reduced by 4"):
        MPRNetOptions(channels=9)


def test_the_official_recipe_is_a_preset() -> None:
    (preset,) = drivederain_methods()[0].presets
    recipe = Hyperparameters().changed(dict(preset.training), "")
    assert (preset.budget, recipe.losses) == ("250 epochs", {"charbonnier": 1.0, "edge": 0.05})
    assert (recipe.optimizer, recipe.learning_rate, recipe.crop, recipe.batch_size) == ("adam", 2e-4, 256, 16)
    assert MPRNetOptions(**dict(preset.options)) == OFFICIAL
