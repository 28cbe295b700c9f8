"""RESCAN: its units and frames, and what is read off a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from drivederain.engine.train import check_losses
from drivederain.errors import OptionError, WeightsError
from drivederain.method import LoadedWeights
from drivederain.registry import Registry
from drivederain.training.progress import Progress
from drivederain_methods.rescan.method import RESCANMethod
from drivederain_methods.rescan.network import RESCAN
from drivederain_methods.rescan.options import RESCANOptions

CPU = torch.device("cpu")


def test_the_paper_s_network_has_its_parameters() -> None:
    assert sum(each.numel() for each in RESCAN().parameters()) == 149_823


@pytest.mark.parametrize("unit", ["GRU", "LSTM", "RNN", "Conv"])
def test_the_configuration_is_read_off_a_checkpoint(unit: str) -> None:
    torch.manual_seed(0)
    network = RESCAN(unit=unit, depth=5, channels=6, squeeze=unit != "RNN")  # type: ignore[arg-type]
    method = RESCANMethod(RESCANOptions())
    method.load(LoadedWeights(Path("latest"), dict(network.state_dict())), CPU)
    rainy = torch.rand(1, 3, 20, 23)
    assert torch.equal(method.restore(rainy), network(rainy))
    assert method.facts()["network"] == f"4 stages of 3 layers, {unit}"


def test_frames_differ_after_the_first_stage() -> None:
    torch.manual_seed(0)
    full, add = RESCAN(channels=6, depth=4), RESCAN(channels=6, depth=4, add=True)
    add.load_state_dict(full.state_dict())
    rainy = torch.rand(1, 3, 16, 16)
    of_full, of_add = full.rain(rainy), add.rain(rainy)
    assert torch.equal(of_full[0], of_add[0]) and torch.allclose(of_add[1], of_full[1] + of_full[0])
    assert not torch.allclose(of_add[3], of_full[3])


def test_it_trains_on_the_rain_of_all_stages() -> None:
    torch.manual_seed(0)
    method = RESCANMethod(RESCANOptions(channels=6, depth=4, stages=2))
    method.load(None, CPU)
    recipe = method.training()
    module = recipe.module
    module.prepare(recipe.hyperparameters, Progress())
    batch = {"rainy": torch.rand(2, 3, 16, 16), "clear": torch.rand(2, 3, 16, 16)}
    # Batches are RGB; the network, as its official weights, sees BGR.
    rainy, clear = batch["rainy"].flip(1), batch["clear"].flip(1)
    stages = [(found - (rainy - clear)).square().mean() for found in method.network.rain(rainy)]
    assert torch.allclose(module.training_losses(batch)["loss"], torch.stack(stages).sum())
    assert torch.equal(module.predict(batch), method.restore(rainy).flip(1))


def test_an_option_that_the_file_contradicts_is_refused_and_the_others_are_taken_from_it() -> None:
    network = RESCAN(unit="LSTM", depth=4, channels=6)
    weights = LoadedWeights(Path("latest"), dict(network.state_dict()))
    with pytest.raises(WeightsError, match=r"latest: it holds a network with unit=LSTM, and unit=RNN was asked for"):
        RESCANMethod(RESCANOptions(unit="RNN")).load(weights, CPU)
    method = RESCANMethod(RESCANOptions(frame="Add"))
    method.load(weights, CPU)
    # What is trained further is stored as what it is.
    assert method.network_options() == {
        "unit": "LSTM", "frame": "Add", "depth": 4, "channels": 6, "stages": 4, "squeeze": True,
    }  # fmt: skip


def test_other_checkpoints_are_refused() -> None:
    with pytest.raises(WeightsError, match=r"x\.pth: no RESCAN checkpoint"):
        RESCANMethod(RESCANOptions()).load(LoadedWeights(Path("x.pth"), {"conv.weight": torch.zeros(1)}), CPU)


def test_typing_losses_is_refused_as_it_has_its_own() -> None:
    spec = Registry.discover().method("rescan")
    method = RESCANMethod(RESCANOptions(channels=6, depth=4, stages=2))
    method.load(None, CPU)
    recipe = method.training()
    check_losses(spec, recipe, {"crop": 32})
    words = r"--set rescan\.training\.losses: rescan is trained on the mean squared error .*leave it out"
    with pytest.raises(OptionError, match=words):
        check_losses(spec, recipe, {"losses": {"l1": 1.0}})
