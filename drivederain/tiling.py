"""Cut large pictures into overlapping tiles of one size and blend the results without seams.

The core does it around a whole method. A sampler that draws noise does it within each of its steps, so that neighbours
see each other's states: see ``drivederain_methods.diffusion``.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import torch
from torch import Tensor


def positions(length: int, tile: int, overlap: int, *, multiple: int = 1, minimum: int = 1) -> tuple[list[int], int]:
    """Starts of balanced tiles along a side, and their length.

    There are as few as can be with at most ``tile`` pixels each and at least ``overlap`` in common, all of one length
    (at least ``minimum``, which ``tile`` is not below) and evenly spread. Where ``length`` is a multiple of
    ``multiple``, so are they and their starts: a network that folds its input by a stride then sees each pixel at the
    same place of its grid as in the whole picture.
    """
    if multiple > 1 and length % multiple == 0 and tile % multiple == 0:
        units = tile // multiple
        shared, least = min(-(-overlap // multiple), units - 1), -(-minimum // multiple)
        starts, size = positions(length // multiple, units, shared, minimum=least)
        return [start * multiple for start in starts], size * multiple
    if tile >= length:
        return [0], length
    count = -(-(length - overlap) // (tile - overlap))
    size = max(-(-(length + (count - 1) * overlap) // count), minimum)
    return [number * (length - size) // (count - 1) for number in range(count)], size


def window(starts: list[int], tile: int, length: int) -> Tensor:
    """Weights of each tile's pixels along one side, ``len(starts) x tile``; at each pixel they add up to 1.

    A tile's weight falls linearly towards its ends, over what it shares with its neighbours, and is positive
    everywhere; the ends of the picture, which no neighbour covers, have the weight 1.
    """
    shared = max([tile - (after - before) for before, after in pairwise(starts)], default=1)
    distance = torch.arange(1, tile + 1, dtype=torch.float32)
    ramp = (torch.minimum(distance, distance.flip(0)) / (shared + 1)).clamp(max=1.0)
    total = torch.zeros(length)
    for start in starts:
        total[start : start + tile] += ramp
    return torch.stack([ramp / total[start : start + tile] for start in starts])


def by_tiles(
    run: Callable[..., Tensor],
    pictures: list[Tensor],
    tile: int,
    overlap: int,
    *,
    multiple: int = 1,
    minimum: int = 1,
    scale: Fraction | int = 1,
    collect_on: torch.device | None = None,
) -> Tensor:
    """``run(*crops)`` on each tile of ``pictures``, blended to float32.

    They are B x C x H x W, of any numbers of channels. What ``run`` returns has ``scale`` times a crop's height and
    width: 1 of restored pictures, 1/8 of their latents; ``multiple`` times ``scale`` must be whole then.

    Tiles go from left to right and from top to bottom, so a method that draws noise draws it in the same order each
    time. The overlap is at most half a tile; for ``multiple`` and ``minimum`` see ``positions``. The result is
    collected on ``collect_on`` (where the pictures are, unless given): with the host there, the device holds a tile at
    a time.
    """
    height, width = pictures[0].shape[-2:]
    overlap = min(overlap, tile // 2)
    device = collect_on or pictures[0].device
    tops, rows = positions(height, tile, overlap, multiple=multiple, minimum=minimum)
    lefts, columns = positions(width, tile, overlap, multiple=multiple, minimum=minimum)

    def out(*lengths: int) -> list[int]:
        return [int(length * scale) for length in lengths]

    out_rows, out_columns = out(rows, columns)
    down = window(out(*tops), out_rows, *out(height)).to(device)
    across = window(out(*lefts), out_columns, *out(width)).to(device)
    total: Tensor | None = None
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            area = (..., slice(top, top + rows), slice(left, left + columns))
            restored = run(*(picture[area].clone() for picture in pictures)).to(device, torch.float32)
            if total is None:
                total = torch.zeros((*restored.shape[:2], *out(height, width)), dtype=torch.float32, device=device)
            place = out(top, left)
            there = (..., slice(place[0], place[0] + out_rows), slice(place[1], place[1] + out_columns))
            total[there] += restored * down[row][:, None] * across[column][None, :]
    assert total is not None
    return total
