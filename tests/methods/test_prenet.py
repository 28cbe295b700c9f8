"""PReNet: its variants, and checkpoints whatever their tensors are called."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights
from drivederain_methods.prenet.method import PReNetMethod
from drivederain_methods.prenet.network import PReNet
from drivederain_methods.prenet.options import PReNetOptions

CPU = torch.device("cpu")


def weights_of(network: torch.nn.Module) -> LoadedWeights:
    return LoadedWeights(Path("net.pth"), dict(network.state_dict()))


def loaded(weights: LoadedWeights, **options: object) -> PReNetMethod:
    method = PReNetMethod(PReNetOptions(**options))  # type: ignore[arg-type]
    method.load(weights, CPU)
    return method


def test_the_paper_s_network_has_its_parameters() -> None:
    assert sum(each.numel() for each in PReNet().parameters()) == 168_963


def test_blocks_and_memory_are_read_off_a_checkpoint() -> None:
    torch.manual_seed(0)
    rainy = torch.rand(1, 3, 12, 17)
    for shared in (False, True):
        for memory in ("before", "none"):
            network = PReNet(shared_block=shared, memory=memory)  # type: ignore[arg-type]
            method = loaded(weights_of(network))
            assert (method.network.shared_block, method.network.memory) == (shared, memory)
            assert torch.equal(method.restore(rainy), network(rainy))


def test_the_network_for_real_photos_is_told_by_its_user_or_by_its_names() -> None:
    torch.manual_seed(0)
    rainy = torch.rand(1, 3, 12, 17)
    network = PReNet(recurrences=4, memory="behind", add=False)
    expected = network(rainy)
    official = loaded(weights_of(network), recurrences=4, memory="behind", add=False)
    assert torch.equal(official.restore(rainy), expected)
    assert not torch.equal(loaded(weights_of(network)).restore(rainy), expected)

    def ancestors(name: str) -> str:
        block, rest = name.split(".", 1)
        block = {"conv0": "det_conv0", "conv": "det_conv_mask"}.get(block, block.replace("res_conv", "det_conv"))
        return f"module.{block}.{rest}"

    renamed = {ancestors(name): value for name, value in network.state_dict().items()}
    assert "module.det_conv5.2.bias" in renamed and "module.conv_i.0.weight" in renamed
    method = loaded(LoadedWeights(Path("PReNet2.pth"), renamed))
    assert torch.equal(method.restore(rainy), expected)
    assert method.facts()["network"] == "4 passes, five blocks, LSTM behind them"
    assert loaded(LoadedWeights(Path("PReNet2.pth"), renamed), recurrences=2).network.recurrences == 2
    # Trained further, it is stored by our names, which tell nothing: with the options, then.
    stored = method.network_options()
    assert stored == {"recurrences": 4, "memory": "behind", "shared_block": False, "add": False}
    again = loaded(LoadedWeights(Path("w.safetensors"), method.state(), {"architecture": stored}), **stored)
    assert torch.equal(again.restore(rainy), expected)


def test_options_that_the_file_contradicts_are_refused() -> None:
    with pytest.raises(WeightsError, match=r"holds a network with memory=none, and memory=before was asked for"):
        loaded(weights_of(PReNet(memory="none")), memory="before")
    with pytest.raises(WeightsError, match=r"shared_block=False, and shared_block=True.*leave the option"):
        loaded(weights_of(PReNet()), shared_block=True)


def test_each_pass_sees_the_one_before() -> None:
    torch.manual_seed(0)
    network, rainy = PReNet(recurrences=3), torch.rand(1, 3, 9, 9)
    passes = network.passes(rainy)
    assert len(passes) == 3 and not torch.equal(passes[1], passes[2])
    assert torch.equal(passes[1], PReNetLike(network, 2)(rainy))


class PReNetLike:
    """The same network with fewer passes."""

    def __init__(self, network: PReNet, recurrences: int) -> None:
        self.network = PReNet(recurrences=recurrences)
        self.network.load_state_dict(network.state_dict())

    def __call__(self, rainy: torch.Tensor) -> torch.Tensor:
        return self.network(rainy)


def test_other_tensors_are_refused() -> None:
    with pytest.raises(WeightsError, match=r"net\.pth: the weights are of another architecture"):
        loaded(LoadedWeights(Path("net.pth"), {"conv_z.0.weight": torch.zeros(1), "conv.0.bias": torch.zeros(3)}))
