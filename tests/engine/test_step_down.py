"""Out of memory: what is tried next, what is remembered, and what the result says of it."""

from __future__ import annotations

import weakref
from copy import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from drivederain.engine.device import DeviceRunner
from drivederain.engine.step_down import Level, StepDown
from drivederain.method import LoadedWeights, Method
from drivederain.specs import MethodSpec, Needs

CPU = torch.device("cpu")


class Hungry(Method):
    """Inverts pictures of at most ``room`` pixels at a time (twice as many in bf16), else is out of memory."""

    def __init__(self, room: int, error: Exception | None = None) -> None:
        super().__init__(None)
        self.room = room
        self.error: Exception = error or torch.OutOfMemoryError("tried to allocate 80 GiB")
        self.seen: list[tuple[int, ...]] = []
        self.inputs: list[weakref.ref[Tensor]] = []
        self.left_over = 0

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """Nothing to load."""

    def restore(self, rainy: Tensor) -> Tensor:
        self.left_over += sum(seen() is not None for seen in self.inputs)
        self.inputs = [weakref.ref(rainy)]
        self.seen.append(tuple(rainy.shape))
        room = self.room * (2 if torch.is_autocast_enabled("cpu") else 1)
        if rainy.shape[0] * rainy.shape[2] * rainy.shape[3] > room:
            raise copy(self.error)  # a new one, whose traceback nobody keeps
        return 1 - rainy


def hungry(room: int, *, error: Exception | None = None, **more: Any) -> tuple[Hungry, DeviceRunner]:
    needs = Needs(**{"multiple": 8, "precisions": ("fp32", "bf16"), "tile_overlap": 16} | more.pop("needs", {}))
    method = Hungry(room, error)
    spec = MethodSpec("hungry", "", "stage", "nowhere:Hungry", needs=needs)
    return method, DeviceRunner(method, spec, CPU, precision="fp32", seed=0, **more)


def pictures(count: int, height: int, width: int) -> list[np.ndarray]:
    rng = np.random.default_rng(count)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def restore(runner: DeviceRunner, given: list[np.ndarray]) -> str:
    """Restores and checks the pixels; what was stepped down, which is the same for all."""
    restored = runner.restore([str(number) for number in range(len(given))], given, None)
    assert len(restored) == len(given)
    for before, after in zip(given, restored, strict=True):
        assert np.array_equal(after.pixels, 255 - before)
        assert after.seconds is not None and after.seconds > 0
    assert len({after.stepped_down for after in restored}) == 1
    return restored[0].stepped_down


def test_enough_memory_changes_nothing() -> None:
    method, runner = hungry(10**9)
    assert restore(runner, pictures(4, 24, 40)) == ""
    assert method.seen == [(4, 3, 24, 40)] * 2


def test_the_batch_is_halved_and_the_level_remembered_by_size() -> None:
    method, runner = hungry(2 * 64 * 64)
    assert restore(runner, pictures(8, 64, 64)) == "batch 8→2"
    assert [shape[0] for shape in method.seen] == [8, 4, *[2] * 4, *[2] * 4]  # the warm-up found it out
    method.seen.clear()
    assert restore(runner, pictures(2, 64, 64)) == ""
    assert restore(runner, pictures(3, 64, 64)) == "batch 3→2"
    assert [shape[0] for shape in method.seen] == [2, 2, 1]
    method.seen.clear()
    assert restore(runner, pictures(8, 32, 32)) == ""  # smaller pictures start anew
    assert restore(runner, pictures(4, 64, 128)) == "batch 4→1"  # larger ones at what is known, and go on
    assert [shape[0] for shape in method.seen] == [8, 2, *[1] * 4]


def test_then_the_picture_is_cut_into_smaller_and_smaller_tiles() -> None:
    method, runner = hungry(200 * 200)
    assert restore(runner, pictures(2, 300, 700)) == "batch 2→1, tile 176"
    assert max(shape[3] for shape in method.seen[-10:]) <= 176
    tried = len([shape for shape in method.seen if shape[2] * shape[3] > method.room])
    assert tried == 3  # batch 2, batch 1, tile 352
    method.seen.clear()
    assert restore(runner, pictures(1, 400, 700)) == "tile 176"
    assert all(shape[2] * shape[3] <= method.room for shape in method.seen)
    assert restore(runner, pictures(1, 160, 160)) == ""


def test_tiles_have_a_floor_and_then_it_fails() -> None:
    method, runner = hungry(1000)
    with pytest.raises(torch.OutOfMemoryError, match="80 GiB"):
        restore(runner, pictures(1, 300, 300))
    assert method.seen[-1][2:] == (112, 112)  # three tiles a side, of at most 128
    method, runner = hungry(1000, needs={"minimum": 200})
    with pytest.raises(torch.OutOfMemoryError):
        restore(runner, pictures(1, 300, 300))
    assert {shape[2] for shape in method.seen} == {304, 200}


def test_methods_that_need_the_whole_picture_are_not_tiled() -> None:
    method, runner = hungry(200 * 200, needs={"may_tile": False})
    with pytest.raises(torch.OutOfMemoryError):
        restore(runner, pictures(2, 300, 300))
    assert [shape[0] for shape in method.seen] == [2, 1]


def test_precision_goes_last_and_only_if_allowed() -> None:
    room, given = 64 * 64 // 2, pictures(1, 64, 64)
    with pytest.raises(torch.OutOfMemoryError):
        restore(hungry(room)[1], given)
    restored = hungry(room, allow_lower_precision=True)[1].restore(["a"], given, None)[0]
    assert restored.stepped_down == "bf16"
    assert np.abs(restored.pixels.astype(int) - (255 - given[0])).max() <= 1
    only_fp32 = {"precisions": ("fp32",)}
    with pytest.raises(torch.OutOfMemoryError):
        restore(hungry(room, needs=only_fp32, allow_lower_precision=True)[1], given)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.0 GB)"),
    ],
)
def test_whatever_allocators_say_is_heard(error: Exception) -> None:
    assert restore(hungry(64 * 64, error=error)[1], pictures(2, 64, 64)) == "batch 2→1"


def test_other_errors_are_not_tried_again() -> None:
    method, runner = hungry(10, error=ValueError("another"))
    with pytest.raises(ValueError, match="another"):
        restore(runner, pictures(4, 64, 64))
    assert len(method.seen) == 1


def test_what_did_not_fit_is_freed_before_the_next_try() -> None:
    method, runner = hungry(64 * 64)
    assert restore(runner, pictures(4, 64, 64)) == "batch 4→1"
    assert method.left_over == 0


def test_sizes_that_cost_a_process_start_in_small_tiles_and_smaller_ones_stay_whole() -> None:
    _, runner = hungry(10**9)
    runner.start_smaller(600, 600)
    assert restore(runner, pictures(2, 600, 600)) == "batch 2→1, tile 512"
    assert restore(runner, pictures(1, 700, 700)) == "tile 512"
    assert restore(runner, pictures(1, 590, 600)) == ""


@pytest.mark.parametrize(("tile", "then"), [(None, "tile 200"), (256, "tile 128"), (128, "")])
def test_what_is_small_already_is_halved_down_to_the_floor(tile: int | None, then: str) -> None:
    _, runner = hungry(10**9, tile=tile)
    runner.start_smaller(400, 300)
    assert restore(runner, pictures(1, 400, 300)) == then


def test_what_may_not_be_cut_goes_alone() -> None:
    _, runner = hungry(10**9, needs={"may_tile": False})
    runner.start_smaller(600, 600)
    assert restore(runner, pictures(2, 600, 600)) == "batch 2→1"


def test_levels_by_size() -> None:
    levels = StepDown(Needs(), allow_lower_precision=False)
    wanted = Level(4, None, "fp32")
    levels.remember(Level(1, 512, "fp32"), 1000)
    levels.remember(Level(1, 256, "bf16"), 5000)
    assert levels.first(wanted, 999) == wanted
    assert levels.first(wanted, 1000) == levels.first(wanted, 4999) == Level(1, 512, "fp32")
    assert levels.first(Level(4, 128, "fp32"), 9999) == Level(1, 128, "bf16")


class CutsItself(Hungry):
    """Keeps to its tiles by itself, of 256 pixels unless the core says otherwise."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self.tile = 256

    def restore(self, rainy: Tensor) -> Tensor:
        self.asked = [*getattr(self, "asked", []), self.tile]
        cut = min(self.tile or 10**9, *rainy.shape[2:])
        super().restore(rainy[:, :, :cut, :cut])
        return 1 - rainy


def cuts_itself(room: int, **more: Any) -> tuple[CutsItself, DeviceRunner]:
    method = CutsItself(room, None)
    method.load(None, CPU)
    spec = MethodSpec("cuts", "", "stage", "nowhere:CutsItself", needs=Needs(multiple=8, tiles_itself=True))
    return method, DeviceRunner(method, spec, CPU, precision="fp32", seed=0, **more)


def test_a_method_that_cuts_itself_gets_the_whole_picture_and_the_side_of_its_tiles() -> None:
    method, runner = cuts_itself(10**9)
    assert restore(runner, pictures(1, 300, 700)) == "" and set(method.asked) == {256}
    assert restore(runner, pictures(1, 200, 200)) == "" and method.asked[-1] is None
    method, runner = cuts_itself(10**9, tile=150)
    assert restore(runner, pictures(1, 300, 700)) == "" and set(method.asked) == {152}, "a multiple of 8"


def test_where_memory_is_short_it_is_told_to_cut_smaller() -> None:
    method, runner = cuts_itself(200 * 200)
    assert restore(runner, pictures(1, 300, 700)) == "tile 128"
    assert method.asked[:2] == [256, 128]
