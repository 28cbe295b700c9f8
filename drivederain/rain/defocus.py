"""Drops are near and the lens is focused far away: the aperture spreads every point of the drop layer over a disc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain.canvas import Canvas
from drivederain.rain.refraction import WetCells

_SHARP_RADIUS: Final = 0.5  # a disc within one pixel changes nothing
_SUPERSAMPLING: Final = 16


@dataclass(frozen=True)
class DropLayer:
    """What the drops put over the photo: ``light`` H x W x 3, linear and already times ``opacity``, H x W in [0, 1]."""

    light: NDArray[np.float32]
    opacity: NDArray[np.float32]

    def apply(self, picture: NDArray[np.float32], first_row: int = 0) -> None:
        """Lay the drops over rows ``first_row`` and on of a picture (rows x W x 3, linear), in place."""
        rows = slice(first_row, first_row + len(picture))
        opacity = np.ascontiguousarray(self.opacity[rows])
        picture -= picture * cv2.cvtColor(opacity, cv2.COLOR_GRAY2RGB).reshape(picture.shape)
        picture += self.light[rows]


def disc(radius: float) -> NDArray[np.float32]:
    """The aperture as a filter kernel of sum 1: a disc of that radius in pixels, antialiased."""
    reach = int(np.ceil(radius))
    side = 2 * reach + 1
    place = (np.arange(side * _SUPERSAMPLING) + 0.5) / _SUPERSAMPLING - reach - 0.5
    inside = (place[:, None] ** 2 + place[None] ** 2 <= radius * radius).astype(np.float64)
    kernel = inside.reshape(side, _SUPERSAMPLING, side, _SUPERSAMPLING).mean((1, 3))
    return np.asarray(kernel / kernel.sum(), np.float32)


def drop_layer(
    cells: WetCells, colour: NDArray[np.float32], canvas: Canvas, radius_px: float, width: int, height: int
) -> DropLayer:
    """Blur the premultiplied drop layer with the aperture disc and bring it to the size of the photo."""
    layer = np.zeros((*cells.shape, 4), np.float32)
    layer[cells.row, cells.column, :3] = colour * cells.coverage[:, None]
    layer[cells.row, cells.column, 3] = cells.coverage
    radius = radius_px / canvas.step
    if radius > _SHARP_RADIUS:
        layer = cv2.filter2D(layer, -1, disc(radius), borderType=cv2.BORDER_CONSTANT)
    if canvas.step > 1:
        layer = cv2.resize(layer, (canvas.width, canvas.height), interpolation=cv2.INTER_LINEAR)
    layer = canvas.crop(layer, width, height)
    opacity = np.clip(layer[..., 3], 0, 1)
    return DropLayer(np.ascontiguousarray(layer[..., :3]), opacity)
