"""Seams: steps of the error along the lines where tiles meet."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from drivederain.errors import MetricError
from drivederain.metrics.metric import Metric, check_batch
from drivederain.specs import TILE_OVERLAP
from drivederain.tiling import positions

MULTIPLES = (1, 8, 16, 32, 64)
"""What methods pad pictures to, which moves the lines a little: all of them are looked at."""
STRETCH = 256
"""Pixels along a line that must agree on a step. Tiles are larger, and little on a road is straight for so long."""
BESIDE = 16
"""Lines on either side that a line is held against: where the error itself changes, it changes there too."""


class Seams(Metric):
    """The largest step across a line where tiles of the variant's side begin or end, in steps of 1/255.

    Of the error (output minus truth, mean of the channels) the difference across a line is taken at each of its pixels.
    A seam has one sign along the border of a tile, and what is in a picture has any: so along each stretch of about 256
    pixels the median counts, and of a line the mean of its stretches' medians, without sign, for the next tile may be
    too bright where this one is too dark. From it the median of the 32 lines beside it is taken off.
    """

    variants: ClassVar[tuple[str, ...]] = ("512", "768", "1024", "2048")

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`Metric.score`; of whole pictures alone, about 0 (or a little below) where there are no seams.

        Raises:
            MetricError: a picture of this size is one tile.
        """
        check_batch(type(self).__name__, output, truth, mask)
        height, width = output.shape[-2:]
        tile = int(self.variant)
        across, down = lines(width, tile), lines(height, tile)
        if not across and not down:
            raise MetricError(
                f"a picture of {width}x{height} is one tile of {tile} pixels: there is nothing to measure"
            )
        with torch.inference_mode():
            error = (output.to(torch.int32) - truth.to(torch.int32)).sum(dim=1)
            worst = [max([*_steps(each, across), *_steps(each.T, down)]) for each in error]
        return {"image": torch.tensor(worst, dtype=torch.float64) / output.shape[1]}


def lines(length: int, tile: int) -> list[int]:
    """The pixels along a side of ``length`` before which a tile begins or ends."""
    found: set[int] = set()
    for multiple in MULTIPLES:
        starts, size = positions(
            -(-length // multiple) * multiple, tile, min(TILE_OVERLAP, tile // 2), multiple=multiple
        )
        found.update(place for start in starts for place in (start, start + size))
    return sorted(place for place in found if 0 < place < length)


def _steps(error: Tensor, places: list[int]) -> list[float]:
    """The step at each of these columns of an error, H x W, beyond those beside it."""
    steps = error[:, 1:] - error[:, :-1]  # column n: between n and n + 1
    stretches = steps.tensor_split(max(round(len(steps) / STRETCH), 1))
    found = []
    for place in places:
        first = max(place - 1 - BESIDE, 0)
        near = [_median(stretch[:, first : place + BESIDE]).abs() for stretch in stretches]
        values = torch.stack(near).mean(dim=0)
        at = place - 1 - first
        beside = torch.cat([values[:at], values[at + 1 :]])
        found.append(float(values[at] - beside.median()))
    return found


def _median(rows: Tensor) -> Tensor:
    """The median down each column; of an even number, the mean of the two in the middle."""
    ordered = rows.sort(dim=0).values
    return (ordered[(len(rows) - 1) // 2] + ordered[len(rows) // 2]).to(torch.float64) / 2
