"""A method's networks: counting their parameters, and their memory format."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from drivederain.engine.device import DeviceRunner
from drivederain.engine.networks import parameters
from drivederain.method import LoadedWeights, Method
from drivederain.specs import MethodSpec, Needs


class TwoNetworks(Method):
    """``tail`` shares the weights of ``head``'s first layer; a third network is kept where the core does not look."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        torch.manual_seed(0)
        self.head = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 1))
        self.tail = self.head[0]
        self.hidden = {"third": nn.Linear(10, 10)}
        self.formats: list[bool] = []

    def restore(self, rainy: Tensor) -> Tensor:
        self.formats.append(rainy.is_contiguous(memory_format=torch.channels_last))
        return self.head(rainy)


class Listed(TwoNetworks):
    def networks(self) -> list[nn.Module]:
        return [*super().networks(), *self.hidden.values()]


class NoNetwork(TwoNetworks):
    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self.gain = 2.0


def loaded(made: type[Method]) -> Method:
    method = made(None)
    method.load(None, torch.device("cpu"))
    return method


def test_parameters_are_counted_once() -> None:
    assert parameters(loaded(TwoNetworks)) == 3 * 8 * 9 + 8 + 8 * 3 + 3
    assert parameters(loaded(Listed)) == 3 * 8 * 9 + 8 + 8 * 3 + 3 + 110
    assert parameters(loaded(NoNetwork)) is None


def test_channels_last_reaches_networks_inputs_and_tiles_and_keeps_the_pixels() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    outputs = {}
    for channels_last in (False, True):
        for tile in (None, 32):
            method = loaded(TwoNetworks)
            needs = Needs(multiple=8, tile=tile, channels_last=channels_last)
            spec = MethodSpec("two", "", "stage", "nowhere:Two", needs=needs)
            runner = DeviceRunner(method, spec, torch.device("cpu"), precision="fp32", seed=0)
            outputs[channels_last, tile] = runner.restore(["a"], [picture], None)[0].pixels.astype(int)
            assert set(method.formats) == {channels_last}
            assert method.head[0].weight.is_contiguous(memory_format=torch.channels_last) == channels_last
    for tile in (None, 32):
        assert np.abs(outputs[False, tile] - outputs[True, tile]).max() <= 1
