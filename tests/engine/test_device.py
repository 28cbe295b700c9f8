"""Around a method: padding, tiles, channels, rounding, seeds, precision, and what it must not return."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from drivederain.engine.device import DeviceRunner, choose_device, choose_precision, noise_name
from drivederain.engine.stages import make_method
from drivederain.engine.staging import pad
from drivederain.errors import MethodError, OptionError, SpecError
from drivederain.registry import Registry
from drivederain.specs import MethodSpec, Needs

CPU = torch.device("cpu")


def random_picture(height: int = 24, width: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def runner(registry: Registry, name: str, **more: Any) -> DeviceRunner:
    spec: MethodSpec = registry.method(name)
    method = make_method(spec, None, may_download=False)
    method.load(None, CPU)
    return DeviceRunner(method, spec, CPU, precision=more.pop("precision", "fp32"), seed=more.pop("seed", 0), **more)


def restore(registry: Registry, name: str, pixels: np.ndarray, **more: Any) -> np.ndarray:
    return runner(registry, name, **more).restore(["a"], [pixels], None)[0].pixels


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    multiple=st.sampled_from([1, 8, 32]),
    minimum=st.sampled_from([1, 64, 65]),
    padding=st.sampled_from(["reflect", "replicate"]),
)
def test_padding_fits_and_keeps_the_picture(height: int, width: int, multiple: int, minimum: int, padding: Any) -> None:
    pixels = random_picture(height, width)
    padded = pad(pixels, Needs(multiple=multiple, minimum=minimum, padding=padding))
    assert padded.shape[0] % multiple == padded.shape[1] % multiple == 0
    assert min(padded.shape[:2]) >= minimum
    assert padded.shape[0] < max(height, minimum) + multiple
    assert np.array_equal(padded[:height, :width], pixels)
    assert set(np.unique(padded)) <= set(np.unique(pixels))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (33, 31), (64, 64)])
def test_output_has_the_size_of_the_input(registry: Registry, size: tuple[int, int]) -> None:
    spec = registry.method("half-precision")
    method = make_method(spec, None, may_download=False)
    needs = MethodSpec(spec.name, "", "stage", spec.implementation, needs=Needs(multiple=32, minimum=64))
    pixels = random_picture(*size)
    restored = DeviceRunner(method, needs, CPU, precision="fp32", seed=0).restore(["a"], [pixels], None)[0]
    assert np.array_equal(restored.pixels, pixels)
    assert restored.seconds is not None and restored.seconds > 0
    assert restored.stepped_down == ""


def test_every_8_bit_value_survives(registry: Registry) -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert np.array_equal(restore(registry, "identity", pixels), pixels)


def test_rounding_and_truncation(registry: Registry) -> None:
    pixels = random_picture() // 2
    assert np.array_equal(restore(registry, "rounding", pixels), pixels + 1)
    assert np.array_equal(restore(registry, "truncating", pixels), pixels)


def test_values_outside_are_clamped(registry: Registry) -> None:
    assert restore(registry, "rounding", np.full((4, 4, 3), 255, np.uint8)).min() == 255


def test_a_bgr_method_sees_blue_first(registry: Registry) -> None:
    pixels = random_picture()
    expected = pixels.copy()
    expected[..., 2] = 0
    assert np.array_equal(restore(registry, "bgr", pixels), expected)


def test_a_method_may_write_into_its_input(registry: Registry) -> None:
    pixels = np.full((4, 4, 3), 200, np.uint8)
    running = runner(registry, "in-place")
    for _ in range(2):  # the first picture is also the warm-up
        assert np.unique(running.restore(["a"], [pixels], None)[0].pixels).tolist() == [100]
    tiled = runner(registry, "in-place", tile=3)
    assert np.unique(tiled.restore(["a"], [pixels], None)[0].pixels).tolist() == [100]


def test_tiles_give_what_the_whole_gives(registry: Registry) -> None:
    pixels = random_picture(75, 110)
    whole, tiled = restore(registry, "blur", pixels), restore(registry, "blur-in-tiles", pixels)
    # Away from the border of the padded picture, where the two pad at other places.
    inner = (slice(4, -8), slice(4, -8))
    difference = np.abs(whole[inner].astype(int) - tiled[inner])
    assert difference.max() <= 6 and difference.mean() < 1
    unblended = np.abs(whole[inner].astype(int) - pixels[inner])
    assert unblended.mean() > 20
    assert np.array_equal(restore(registry, "identity", pixels, tile=30), pixels)


def test_tiles_are_of_a_size_that_the_method_takes(registry: Registry) -> None:
    assert runner(registry, "blur-in-tiles").tile == 32
    assert runner(registry, "blur").tile is None
    assert runner(registry, "blur", tile=10).tile == 10


def test_noise_comes_from_the_picture_not_from_the_order(registry: Registry) -> None:
    first, second = random_picture(seed=1), random_picture(seed=2)
    names = [noise_name(first), noise_name(second)]
    together = runner(registry, "noisy").restore(names, [first, second], None)
    alone = runner(registry, "noisy").restore(names[1:], [second], None)
    assert np.array_equal(together[1].pixels, alone[0].pixels)
    other_seed = runner(registry, "noisy", seed=1).restore(names[1:], [second], None)
    assert not np.array_equal(other_seed[0].pixels, alone[0].pixels)
    assert not np.array_equal(alone[0].pixels, second)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wrong-shape", r"returned the shape \(1, 3, 24, 39\) for an input of \(1, 3, 24, 40\)"),
        ("not-finite", "returned NaN or infinite values"),
        ("integers", "returned torch.uint8, not floating-point values"),
        ("no-tensor", "returned ndarray, not a tensor"),
    ],
)
def test_a_broken_contract_is_named(registry: Registry, name: str, words: str) -> None:
    with pytest.raises(MethodError, match=f"{name} {words}"):
        restore(registry, name, random_picture())


def test_the_three_steps_in_three_threads_give_what_restore_gives(registry: Registry) -> None:
    pixels, estimates = [random_picture(30, 44, seed) for seed in (1, 2)], [random_picture(30, 44, 3)] * 2
    expected = runner(registry, "average").restore(["a", "b"], pixels, estimates)
    running = runner(registry, "average")
    with ThreadPoolExecutor(1) as decoder, ThreadPoolExecutor(1) as encoder:
        batch = decoder.submit(running.stage, pixels, estimates).result()
        pending = running.start(["a", "b"], batch, timed=False)
        restored = encoder.submit(pending.result).result()
    assert len(batch) == 2 and (batch.height, batch.width) == (30, 44)
    for one, other in zip(restored, expected, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert one.seconds is not None and one.seconds > 0  # the CPU does its work in the call


def test_values_that_are_not_finite_are_found_when_the_pixels_come(registry: Registry) -> None:
    for tile in (None, 16):
        running = runner(registry, "not-finite", tile=tile)
        pending = running.start(["a"], running.stage([random_picture()], None), timed=True)
        with pytest.raises(MethodError, match="not-finite returned NaN or infinite values"):
            pending.result()


def test_the_warm_up_is_once_a_runner_and_may_come_before(registry: Registry, calls: Any) -> None:
    running = runner(registry, "blur")
    batch = running.stage([random_picture()], None)
    running.warm_up(["a"], batch)
    assert running.is_warm(batch) and calls["Blur"] == 1
    for _ in range(2):
        running.start(["a"], batch, timed=True).result()
    assert calls["Blur"] == 3


@pytest.mark.parametrize("name", ["no-method", "not-a-refiner"])
def test_a_class_of_another_kind_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(SpecError, match=f"method {name}: .* must be a sub-class of drivederain.method"):
        make_method(registry.method(name), None, may_download=False)


def test_bf16_is_close_and_only_where_it_holds(registry: Registry, fakes: ModuleType) -> None:
    assert choose_precision("bf16", Needs(precisions=("fp32", "bf16"))) == "bf16"
    assert choose_precision("bf16", Needs(precisions=("fp32",))) == "fp32"
    assert choose_precision("auto", Needs(precisions=("fp32", "bf16", "fp16"))) == "fp32"
    spec = registry.method("half-precision")
    network = torch.nn.Conv2d(3, 3, 1, bias=False)
    torch.nn.init.constant_(network.weight, 0.3)

    class Convolution(fakes.Fake):  # type: ignore[name-defined,misc]
        def answer(self, rainy: torch.Tensor) -> torch.Tensor:
            return network(rainy)

    pixels = random_picture()
    outputs = {
        precision: DeviceRunner(Convolution(None), spec, CPU, precision=precision, seed=0)
        .restore(["a"], [pixels], None)[0]
        .pixels.astype(int)
        for precision in ("fp32", "bf16")
    }
    difference = np.abs(outputs["fp32"] - outputs["bf16"])
    assert 0 < difference.max() <= 4


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == CPU
    with pytest.raises(
        OptionError, match=r"--device cuda: torch .* finds no such device here\. Use --device auto or cpu"
    ):
        choose_device("cuda")
    with pytest.raises(OptionError, match="--device tpu: write auto, cpu, cuda or mps"):
        choose_device("tpu")
