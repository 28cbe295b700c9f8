"""Memory for the large maps of one picture, in one block.

Taken one by one, such maps go back to the system when they are freed, and every 4 KiB of the next one costs a page
fault: a fifth of the time of a picture. An allocator keeps what a block as large as all of them leaves behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivederain.rain.canvas import Canvas


@dataclass(frozen=True)
class Sheets:
    """Uninitialised float32 maps: ``warp`` 2 x h x w, ``height`` h x w and ``layer`` h x w x 4 of the canvas' size,
    and ``light`` H x W x 3 of the photo's. ``warp`` is half of ``layer``: it is no longer needed when the drop layer is
    laid out."""

    warp: NDArray[np.float32]
    height: NDArray[np.float32]
    layer: NDArray[np.float32]
    light: NDArray[np.float32]


def make_sheets(canvas: Canvas, width: int, height: int) -> Sheets:
    """The maps of a photo of that size."""
    plane = canvas.height * canvas.width
    block = np.empty(5 * plane + 3 * height * width, np.float32)
    return Sheets(
        warp=block[: 2 * plane].reshape(2, canvas.height, canvas.width),
        height=block[4 * plane : 5 * plane].reshape(canvas.height, canvas.width),
        layer=block[: 4 * plane].reshape(canvas.height, canvas.width, 4),
        light=block[5 * plane :].reshape(height, width, 3),
    )
