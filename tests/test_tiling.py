"""Tiles: where they lie, how they are blended, and what the method sees of a picture."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from drivederain.tiling import by_tiles, positions, window


@settings(deadline=None)
@given(
    length=st.integers(1, 60),
    tile=st.integers(1, 20),
    overlap=st.integers(0, 30),
    multiple=st.sampled_from([1, 8, 32]),
    share=st.floats(0, 1),
)
def test_tiles_are_equal_aligned_and_as_few_as_can_be(
    length: int, tile: int, overlap: int, multiple: int, share: float
) -> None:
    length, tile, overlap = length * multiple, tile * multiple, min(overlap, tile * multiple // 2)
    minimum = max(int(share * tile), 1)
    starts, side = positions(length, tile, overlap, multiple=multiple, minimum=minimum)
    assert starts[0] == 0 and starts[-1] + side == length
    assert min(minimum, length) <= side <= tile and side % multiple == 0
    assert all(start % multiple == 0 for start in starts)
    steps = [after - before for before, after in pairwise(starts)]
    assert all(step > 0 for step in steps) and max(steps, default=0) - min(steps, default=0) <= multiple
    if tile > multiple:
        assert all(side - step >= overlap for step in steps)
    # One tile less of the largest size would not reach, with the overlap in whole steps of the grid.
    if len(starts) > 1:
        shared = min(-(-overlap // multiple) * multiple, tile - multiple)
        assert (len(starts) - 1) * (tile - shared) + shared < length


@settings(deadline=None)
@given(length=st.integers(2, 300), tile=st.integers(2, 90), overlap=st.integers(0, 45))
def test_weights_are_positive_and_add_up_to_one(length: int, tile: int, overlap: int) -> None:
    starts, side = positions(length, tile, min(overlap, tile // 2))
    weights = window(starts, side, length)
    assert (weights > 0).all()
    total = torch.zeros(length)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + side] += weight
    torch.testing.assert_close(total, torch.ones(length))
    inner = weights[0]
    if len(starts) > 1 and side - starts[1] > 1:
        assert inner[-1] < inner[-2] < 1  # it falls off towards the neighbour
        assert inner[0] == 1  # and not towards the end of the picture


def blur(picture: Tensor) -> Tensor:
    """Its reach is 4 pixels."""
    return functional.avg_pool2d(functional.pad(picture, (4, 4, 4, 4), mode="replicate"), 9, stride=1)


def test_what_reaches_less_far_than_half_the_overlap_has_no_seams() -> None:
    picture = torch.rand(2, 3, 75, 110, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(by_tiles(lambda crop: crop, [picture], 32, 16), picture)
    whole, tiled = blur(picture), by_tiles(blur, [picture], 40, 20)
    assert (tiled - whole).abs().max() < 0.09 and (tiled - whole).abs().mean() < 0.002
    without = by_tiles(blur, [picture], 40, 0)
    assert (tiled - whole).abs().max() < 0.5 * (without - whole).abs().max()


def test_a_folding_network_sees_the_grid_of_the_whole_picture() -> None:
    picture = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(1))

    def mosaic(crop: Tensor) -> Tensor:
        coarse = functional.avg_pool2d(crop, 16, ceil_mode=True)
        return functional.interpolate(coarse, scale_factor=16.0)[..., : crop.shape[-2], : crop.shape[-1]]

    torch.testing.assert_close(by_tiles(mosaic, [picture], 64, 20, multiple=16), mosaic(picture))
    assert (by_tiles(mosaic, [picture], 63, 20) - mosaic(picture)).abs().max() > 0.01


def test_the_method_sees_a_tile_at_a_time_and_its_own_copy() -> None:
    picture = torch.rand(1, 3, 100, 130)
    before, sizes = picture.clone(), []

    def spoil(rainy: Tensor, estimate: Tensor) -> Tensor:
        sizes.append(tuple(rainy.shape[-2:]))
        assert torch.equal(rainy, estimate)
        return rainy.mul_(0.5)

    output = by_tiles(spoil, [picture, picture], 64, 16, multiple=2, collect_on=torch.device("cpu"))
    torch.testing.assert_close(output, before / 2)
    assert torch.equal(picture, before)
    assert set(sizes) == {(58, 54)} and len(sizes) == 6


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_sum_is_float32_whatever_the_method_returns(dtype: torch.dtype) -> None:
    picture = torch.rand(1, 3, 40, 40)
    output = by_tiles(lambda crop: crop.to(dtype), [picture], 16, 8)
    assert output.dtype == torch.float32
    assert (output - picture).abs().max() < 0.005


def test_noise_is_drawn_in_the_same_order_each_time() -> None:
    picture = torch.zeros(1, 3, 50, 70)
    outputs = []
    for _ in range(2):
        generator = torch.Generator().manual_seed(5)
        outputs.append(
            by_tiles(lambda crop: torch.rand(crop.shape, generator=generator), [picture], 32, 8)  # noqa: B023
        )
    assert torch.equal(outputs[0], outputs[1])


def test_what_shrinks_or_grows_is_put_together_at_its_own_size() -> None:
    picture = torch.rand(2, 3, 96, 160, generator=torch.Generator().manual_seed(2))
    small = by_tiles(
        lambda crop: functional.avg_pool2d(crop, 8)[:, :2], [picture], 64, 16, multiple=8, scale=Fraction(1, 8)
    )
    torch.testing.assert_close(small, functional.avg_pool2d(picture, 8)[:, :2])
    large = by_tiles(lambda crop: functional.interpolate(crop, scale_factor=8.0), [small], 8, 2, scale=8)
    torch.testing.assert_close(large, functional.interpolate(small, scale_factor=8.0))
