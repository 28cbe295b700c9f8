"""The height of water on the glass, as one map: drops, run-offs, warp and coalescence put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain.canvas import Canvas
from drivederain.rain.conditions import Conditions
from drivederain.rain.drops import draw_drops, join_caps, sum_of_cubes
from drivederain.rain.outlines import draw_warp, warped
from drivederain.rain.population import Population
from drivederain.rain.run_offs import RIDGE_MM, beads_and_heads, draw_run_offs, wiped_and_ridge
from drivederain.rain.sheets import Sheets

# Water of this height (pixels) begins to show, and of that height more shows wholly: an antialiased edge.
_EDGE_START_PX: Final = 0.10
_EDGE_WIDTH_PX: Final = 0.45


@dataclass(frozen=True)
class Water:
    """``height``: float32 of the canvas' size, pixels. ``drop_count``, ``run_count``: what was drawn."""

    height: NDArray[np.float32]
    drop_count: int
    run_count: int

    def coverage(self) -> NDArray[np.float32]:
        """Share of each pixel under water, [0, 1], before defocus."""
        alpha = self.height - np.float32(_EDGE_START_PX)
        alpha *= np.float32(1 / _EDGE_WIDTH_PX)
        return np.clip(alpha, 0, 1, out=alpha)


def draw_water(
    seed: int, key: str, conditions: Conditions, canvas: Canvas, population: Population, sheets: Sheets
) -> Water:
    """Draw sitting drops and run-offs on the canvas and return the height of the water, laid in ``sheets``."""
    drops = draw_drops(seed, key, conditions, canvas, population)
    paths = draw_run_offs(seed, key, conditions, canvas, drops.running)
    cubes = sum_of_cubes(drops.sitting, canvas)
    warp = draw_warp(seed, key, canvas, conditions.px_per_mm, sheets.warp)
    if paths:
        wiped, ridge = wiped_and_ridge(paths, canvas)
        cubes *= wiped
        cubes += sum_of_cubes(join_caps(beads_and_heads(paths, conditions)), canvas)
    height = warped(cubes, warp, sheets.height)
    flat = height.ravel()
    wet = np.flatnonzero(flat > 0)
    flat[wet] = np.cbrt(flat[wet])
    if paths:
        smooth = warped(ridge, warp, cubes)
        smooth = cv2.GaussianBlur(smooth, (0, 0), max(1.0, 0.25 * conditions.px_per_mm), dst=smooth)
        smooth *= np.float32(RIDGE_MM * conditions.px_per_mm)
        np.maximum(height, smooth, out=height)
    return Water(height, drops.count, len(paths))
