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
    """What the drops put over the photo: ``light`` H x W x 4, linear and already times the opacity, with a fourth
    channel that is not used; ``opacity`` H x W in [0, 1]."""

    light: NDArray[np.float32]
    opacity: NDArray[np.float32]

    def apply(self, picture: NDArray[np.float32], first_row: int = 0) -> None:
        """Lay the drops over rows ``first_row`` and on of a picture (rows x W x 3, linear), in place."""
        rows = slice(first_row, first_row + len(picture))
        hidden = cv2.cvtColor(self.opacity[rows], cv2.COLOR_GRAY2RGB).reshape(picture.shape)
        hidden *= picture
        picture -= hidden
        picture += cv2.cvtColor(self.light[rows], cv2.COLOR_RGBA2RGB).reshape(picture.shape)


def disc(radius: float) -> NDArray[np.float32]:
    """The aperture as a filter kernel of sum 1: a disc of that radius in pixels, antialiased."""
    reach = int(np.ceil(radius))
    side = 2 * reach + 1
    place = (np.arange(side * _SUPERSAMPLING) + 0.5) / _SUPERSAMPLING - reach - 0.5
    inside = (place[:, None] ** 2 + place[None] ** 2 <= radius * radius).astype(np.float64)
    kernel = inside.reshape(side, _SUPERSAMPLING, side, _SUPERSAMPLING).mean((1, 3))
    return np.asarray(kernel / kernel.sum(), np.float32)


def drop_layer(
    cells: WetCells,
    colour: NDArray[np.float32],
    canvas: Canvas,
    radius_px: float,
    size: tuple[int, int],
    out: NDArray[np.float32],
) -> DropLayer:
    """Blur the premultiplied drop layer with the aperture disc and bring it to the size (width, height) of the photo.

    ``colour`` is that of the wet cells, 3 x n. The layer is laid in ``out``, of the canvas' height and width and with 4
    channels.
    """
    layer = out if canvas.step == 1 else np.empty((*cells.shape, 4), np.float32)
    layer.fill(0)
    if len(cells.row):  # merge takes no empty planes
        wet = cv2.merge([*(colour * cells.coverage), cells.coverage])
        # Four floats of a cell are moved as one complex number, which NumPy does many times faster than as a row of 4.
        layer.view(np.complex128).ravel()[cells.row * cells.shape[1] + cells.column] = wet.view(np.complex128).ravel()
    radius = radius_px / canvas.step
    if radius > _SHARP_RADIUS:
        layer = cv2.filter2D(layer, -1, disc(radius), dst=layer, borderType=cv2.BORDER_CONSTANT)
    if canvas.step > 1:
        layer = cv2.resize(layer, (canvas.width, canvas.height), dst=out, interpolation=cv2.INTER_LINEAR)
    light = canvas.crop(np.asarray(layer, np.float32).reshape(out.shape), *size)
    opacity = np.asarray(cv2.extractChannel(light, 3), np.float32).reshape(light.shape[:2])
    return DropLayer(light, np.clip(opacity, 0, 1, out=opacity))
