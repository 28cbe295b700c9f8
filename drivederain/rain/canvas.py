"""The sheet that drops are laid on: the photo with a margin, cut in whole cells of the drop layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivederain.rain.conditions import Conditions


@dataclass(frozen=True)
class Canvas:
    """``width`` x ``height`` pixels, the photo's first pixel at (margin, margin); all are multiples of ``step``."""

    width: int
    height: int
    margin: int
    step: int

    def crop(self, sheet: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
        """The part of a canvas-sized sheet (H x W or H x W x C) that the photo shows; a view."""
        return sheet[self.margin : self.margin + height, self.margin : self.margin + width]


def make_canvas(conditions: Conditions) -> Canvas:
    """A canvas with room for what warp and aperture blur bring in from beyond the edges of the photo."""
    step = conditions.step

    def whole(pixels: float) -> int:
        return step * int(np.ceil(pixels / step))

    margin = whole(conditions.defocus_px + 0.75 * conditions.px_per_mm + 3)
    return Canvas(
        width=2 * margin + whole(conditions.width),
        height=2 * margin + whole(conditions.height),
        margin=margin,
        step=step,
    )
