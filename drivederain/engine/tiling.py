"""Cut large pictures into overlapping tiles and blend the results without seams."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def positions(length: int, tile: int, overlap: int) -> list[int]:
    """Starts of tiles of ``tile`` pixels that cover ``length`` with at least ``overlap`` in common."""
    if tile >= length:
        return [0]
    step = max(tile - overlap, 1)
    return sorted({min(start, length - tile) for start in range(0, length - overlap, step)})


def window(tile: int, overlap: int) -> Tensor:
    """Weights of a tile's pixels along one axis: rising and falling over the overlap, positive everywhere."""
    distance = torch.arange(1, tile + 1, dtype=torch.float32)
    ramp = torch.minimum(distance, distance.flip(0)) / max(overlap, 1)
    return ramp.clamp(max=1.0)


def by_tiles(run: Callable[..., Tensor], pictures: list[Tensor], tile: int, overlap: int) -> Tensor:
    """``run(*crops)`` on each tile of ``pictures`` (all B x 3 x H x W), blended to B x 3 x H x W float32.

    The overlap is at most half a tile.
    """
    height, width = pictures[0].shape[-2:]
    overlap = min(overlap, tile // 2)
    rows, columns = min(tile, height), min(tile, width)
    weight = window(rows, overlap)[:, None] * window(columns, overlap)[None, :]
    weight = weight.to(pictures[0].device)
    total = torch.zeros_like(pictures[0], dtype=torch.float32)
    weights = torch.zeros(height, width, device=total.device)
    for top in positions(height, rows, overlap):
        for left in positions(width, columns, overlap):
            area = (..., slice(top, top + rows), slice(left, left + columns))
            total[area] += run(*(picture[area].clone() for picture in pictures)).float() * weight
            weights[area] += weight
    return total / weights
