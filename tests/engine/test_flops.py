"""Counting operations while warming up: the figures, and that it never gets in the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils import flop_counter

from drivederain.engine.device import DeviceRunner
from drivederain.engine.flops import counted
from drivederain.method import LoadedWeights, Method
from drivederain.specs import MethodSpec, Needs

CPU = torch.device("cpu")


class Convolution(Method):
    calls = 0

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        torch.manual_seed(0)
        self.network = nn.Conv2d(3, 3, 3, padding=1)

    def restore(self, rainy: Tensor) -> Tensor:
        self.calls += 1
        return self.answer(rainy)

    def answer(self, rainy: Tensor) -> Tensor:
        return self.network(rainy)


class Plain(Convolution):
    def answer(self, rainy: Tensor) -> Tensor:
        return 1 - rainy


class Refuses(Convolution):
    def answer(self, rainy: Tensor) -> Tensor:
        raise ValueError("not today")


def runner_of(made: type[Convolution], **needs: Any) -> DeviceRunner:
    method = made(None)
    method.load(None, CPU)
    spec = MethodSpec("m", "", "stage", "nowhere:M", needs=Needs(**needs))
    return DeviceRunner(method, spec, CPU, precision="fp32", seed=0)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_convolutions_linear_layers_and_attention_are_counted() -> None:
    convolution, linear = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(16, 4)
    assert counted(lambda: convolution(torch.rand(1, 3, 10, 20)))[1] == 2 * 200 * 8 * 3 * 9
    assert counted(lambda: linear(torch.rand(5, 7, 16)))[1] == 2 * 35 * 16 * 4
    heads = torch.rand(1, 2, 32, 16)
    attention = torch.nn.functional.scaled_dot_product_attention
    assert counted(lambda: attention(heads, heads, heads))[1] == 2 * 2 * (2 * 32 * 32 * 16)
    assert counted(lambda: torch.rand(9, 9) @ torch.rand(9, 3))[1] == 2 * 9 * 9 * 3


def test_the_runner_knows_them_of_one_picture_without_another_pass() -> None:
    runner = runner_of(Convolution, multiple=8)
    assert runner.flops == {} and runner.flops_reason == "nothing was restored yet"
    both = [picture(12, 20), picture(12, 20)]
    counted_first = runner.restore(["a", "b"], both, None)
    assert runner.flops == {"20x12": 2 * 16 * 24 * 3 * 27}  # of the padded picture
    assert runner.flops_reason == "" and runner.method.calls == 2
    again = runner.restore(["a", "b"], both, None)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(counted_first, again, strict=True))


def test_nothing_that_counts() -> None:
    runner = runner_of(Plain)
    runner.restore(["a"], [picture(8, 8)], None)
    assert runner.flops == {} and "no operation" in runner.flops_reason


def test_methods_without_networks_are_not_counted() -> None:
    runner = runner_of(Plain)
    del runner.method.network
    runner = DeviceRunner(runner.method, runner.spec, CPU, precision="fp32", seed=0)
    runner.restore(["a"], [picture(8, 8)], None)
    assert runner.flops == {} and runner.flops_reason == "the method names no networks"


def test_where_counting_fails_the_runner_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any, **more: Any) -> int:
        raise AssertionError("no formula for this shape")

    monkeypatch.setitem(flop_counter.flop_registry, torch.ops.aten.convolution, fails)
    runner = runner_of(Convolution)
    expected = runner_of(Plain).restore(["a"], [picture(8, 8)], None)[0].pixels.shape
    assert runner.restore(["a"], [picture(8, 8)], None)[0].pixels.shape == expected
    assert runner.flops == {} and "no formula for this shape" in runner.flops_reason
    assert runner.method.calls == 3  # counted, warm-up, picture


@pytest.mark.parametrize("in_place", [True, False])
def test_compiled_networks_are_left_alone(in_place: bool) -> None:
    method = Convolution(None)
    method.load(None, CPU)
    expected = DeviceRunner(method, MethodSpec("m", "", "stage", "nowhere:M"), CPU, precision="fp32", seed=0)
    pixels = expected.restore(["a"], [picture(8, 8)], None)[0].pixels
    if in_place:
        method.network.compile(backend="eager")
    else:
        method.network = torch.compile(method.network, backend="eager")
    runner = DeviceRunner(method, expected.spec, CPU, precision="fp32", seed=0)
    assert np.array_equal(runner.restore(["a"], [picture(8, 8)], None)[0].pixels, pixels)
    assert runner.flops == {} and runner.flops_reason == "compiled networks are not counted"


def test_a_method_s_own_error_is_not_provoked_twice() -> None:
    runner = runner_of(Refuses)
    with pytest.raises(ValueError, match="not today"):
        runner.restore(["a"], [picture(8, 8)], None)
    assert runner.method.calls == 1
