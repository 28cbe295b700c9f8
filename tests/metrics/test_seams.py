"""Seams: found where tiles meet, and not in what a picture holds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from drivederain.errors import MetricError
from drivederain.metrics.seams import Seams, lines
from drivederain.tiling import by_tiles

HEIGHT, WIDTH, TILE = 560, 640, 512


def noise(seed: int = 0) -> Tensor:
    """Smooth noise about mid grey, uint8 1 x 3 x H x W."""
    drawn = torch.randn(1, 3, HEIGHT // 4, WIDTH // 4, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(drawn, (HEIGHT, WIDTH), mode="bicubic", align_corners=False)
    return (smooth * 20 + 128).clamp(0, 255).to(torch.uint8)


def seams(output: Tensor, truth: Tensor, tile: int = TILE) -> float:
    return float(Seams(str(tile)).score(output, truth, None)["image"])


TRUTH, OTHER = noise(), noise(seed=1)


def test_lines_are_where_tiles_begin_and_end() -> None:
    # Two tiles of at most 512 pixels with 128 in common cover 640: 384 each, from 0 and from 256.
    assert 256 in lines(WIDTH, TILE) and 384 in lines(WIDTH, TILE)
    assert lines(512, TILE) == [] and all(0 < place < 700 for place in lines(700, TILE))


def test_a_step_along_a_line_has_its_own_height() -> None:
    output = TRUTH.clone()
    output[..., 256:] += 5
    assert seams(output, TRUTH) == pytest.approx(5.0)
    output = TRUTH.clone()
    output[:, 1, lines(HEIGHT, TILE)[0] :, :] += 6  # one channel of three, across
    assert seams(output, TRUTH) == pytest.approx(2.0)
    elsewhere = TRUTH.clone()
    elsewhere[..., 330:] += 5
    assert 330 not in lines(WIDTH, TILE) and seams(elsewhere, TRUTH) == 0


def test_tiles_of_other_brightness_are_found_though_every_second_has_the_other_sign() -> None:
    output = TRUTH.clone()
    output[..., :280, :384] += 4
    output[..., 280:, 384:] += 4
    assert seams(output, TRUTH) == pytest.approx(4.0), "up in the upper half of the line, down in the lower"


def test_errors_without_a_seam_have_next_to_none() -> None:
    assert seams(TRUTH, TRUTH) == 0
    assert seams(OTHER, TRUTH) < 2, "an error of 28 steps, drawn at random"
    output = TRUTH.clone()
    output[..., 40:150, 256:270] = 250
    assert seams(output, TRUTH) == 0, "a bright bar that begins at a line of tiles, but ends soon"
    ramp = TRUTH + (torch.arange(WIDTH) // 10).to(torch.uint8)
    assert seams(ramp, TRUTH) <= 1, "an error that grows over the whole picture"


def test_blended_tiles_have_none_where_cut_ones_do() -> None:
    made: list[int] = []

    def brighter_each_time(tile: Tensor) -> Tensor:
        made.append(1)
        return tile + 6.0 * (len(made) % 2)

    blended = by_tiles(brighter_each_time, [TRUTH.float()], TILE, 128).round().to(torch.uint8)
    assert len(made) == 4 and bool((blended != TRUTH).any())
    cut = TRUTH.clone()
    cut[..., 384:] += 6
    assert seams(cut, TRUTH) == pytest.approx(6.0) and seams(blended, TRUTH) <= 1.0


def test_a_picture_of_one_tile_has_nothing_to_measure() -> None:
    with pytest.raises(MetricError, match="640x560 is one tile of 768 pixels"):
        seams(TRUTH, TRUTH, 768)
