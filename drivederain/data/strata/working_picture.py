"""Bring a picture to the fixed working width on which coverage and features are measured."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.errors import DataError

WORKING_WIDTH = 384
"""Pixels. Drops scale with a picture's width (focal length over glass distance), so features are taken at one width."""

MINIMUM_HEIGHT = 32
MAXIMUM_HEIGHT = 4 * WORKING_WIDTH
"""Pixels. Strips flatter or taller than these are stretched to them, so that every filter has room and time a bound."""


def check_rgb(picture: NDArray[np.uint8], name: str) -> None:
    """Accept H x W x 3 uint8 with at least one pixel.

    Raises:
        DataError: another shape or type; the message says what was given.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise DataError(
            f"the {name} picture must be 8-bit RGB of H x W x 3, not {picture.dtype} of shape {picture.shape}: "
            "convert it before its rain is measured"
        )


def working_size(height: int, width: int) -> tuple[int, int]:
    """Height and width, in pixels, of the working picture of a picture of this size."""
    return int(np.clip(round(height * WORKING_WIDTH / width), MINIMUM_HEIGHT, MAXIMUM_HEIGHT)), WORKING_WIDTH


def to_working_size(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Resize to the working size: by area where pixels are merged, bilinearly where they are spread.

    Args:
        picture: H x W x 3, or H x W (a mask), uint8.

    Returns:
        h x WORKING_WIDTH (x 3) float32 in [0, 1].
    """
    height, width = working_size(*picture.shape[:2])
    shrinks = picture.shape[0] >= height and picture.shape[1] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    scaled = np.ascontiguousarray(picture).astype(np.float32) * np.float32(1 / 255)
    return np.asarray(cv2.resize(scaled, (width, height), interpolation=method), dtype=np.float32)
