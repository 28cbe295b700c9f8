"""What to try next when the device has too little memory: a smaller batch, then tiles, then a lower precision."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace

import torch

from drivederain.engine.failures import describe
from drivederain.engine.staging import padded
from drivederain.specs import Needs

SMALLEST_TILE = 128
"""Pixels; below it a method sees too little around each pixel."""

SHORT_OF_MEMORY = 512
"""Side of the tiles, in pixels, with which a picture is tried again after it cost its process for the memory."""

LOWER_PRECISIONS = ("bf16", "fp16")


@dataclass(frozen=True)
class Level:
    """How a batch goes through a method: pictures at once, side of the tiles (``None``: whole), precision."""

    batch: int
    tile: int | None
    precision: str

    def words(self, wanted: Level) -> list[str]:
        """What was stepped down from ``wanted``: "batch 4→2", "tile 512", "bf16"."""
        changes = []
        if self.batch != wanted.batch:
            changes.append(f"batch {wanted.batch}→{self.batch}")
        if self.tile != wanted.tile:
            changes.append(f"tile {self.tile}")
        if self.precision != wanted.precision:
            changes.append(self.precision)
        return changes


class StepDown:
    """The levels that worked, by the size of the pictures."""

    def __init__(self, needs: Needs, *, allow_lower_precision: bool) -> None:
        self.needs, self.allow_lower_precision = needs, allow_lower_precision
        self._worked: dict[int, Level] = {}

    def first(self, wanted: Level, pixels: int) -> Level:
        """Where to start for pictures of so many pixels: ``wanted``, or what smaller or equal ones needed."""
        known = [size for size in self._worked if size <= pixels]
        if not known:
            return wanted
        worked = self._worked[max(known)]
        tiles = [tile for tile in (wanted.tile, worked.tile) if tile is not None]
        return Level(min(wanted.batch, worked.batch), min(tiles, default=None), worked.precision)

    def remember(self, level: Level, pixels: int) -> None:
        """``level`` is what pictures of so many pixels needed."""
        self._worked[pixels] = level

    def below(self, level: Level, height: int, width: int) -> Level | None:
        """The next level to try for pictures of that (padded) size; ``None`` when nothing is left."""
        if level.batch > 1:
            return replace(level, batch=level.batch // 2)
        tile = self._smaller_tile(level, max(height, width))
        if tile is not None:
            return replace(level, tile=tile)
        if self.allow_lower_precision and level.precision == "fp32":
            lower = [precision for precision in LOWER_PRECISIONS if precision in self.needs.precisions]
            return replace(level, precision=lower[0]) if lower else None
        return None

    def far_below(self, level: Level, height: int, width: int) -> Level:
        """One picture at a time, in tiles of ``SHORT_OF_MEMORY`` or the next smaller ones, if it may be cut."""
        longer = max(height, width)
        now = longer if level.tile is None else min(level.tile, longer)
        tile: int | None = padded(SHORT_OF_MEMORY, self.needs)
        if not self.needs.may_tile or tile is None or tile >= now:
            tile = self._smaller_tile(level, longer)
        return Level(1, tile or level.tile, level.precision)

    def _smaller_tile(self, level: Level, longer: int) -> int | None:
        if not self.needs.may_tile:
            return None
        now = longer if level.tile is None else min(level.tile, longer)
        tile = padded(max(now // 2, SMALLEST_TILE), self.needs)
        return tile if tile < now else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocator of the CPU or of the device gave up."""
    return describe(error)[0] == "oom"


def free_memory(device: torch.device) -> None:
    """Give back what is no longer used, so that the next try finds it."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
