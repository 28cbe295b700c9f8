"""sRGB to linear light and back (IEC 61966-2-1), by tables.

Linear light is float32 in [0, 1]. Drops and streaks may go a little over 1; such light is clipped on the way back.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

# 8192 levels of linear light separate even the darkest 8-bit codes (2.5 levels a code).
LINEAR_LEVELS: Final = 8191


def _decode_table() -> NDArray[np.float32]:
    code = np.arange(256) / 255.0
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def _encode_table() -> NDArray[np.uint8]:
    """Covers light up to 2, so that no clip is needed before the look-up."""
    linear = np.minimum(np.arange(2 * LINEAR_LEVELS + 2) / LINEAR_LEVELS, 1.0)
    code = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * code).astype(np.uint8)


_TO_LINEAR: Final = _decode_table()
_TO_SRGB: Final = _encode_table()


def to_linear(image: NDArray[np.uint8], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Linear light, float32 of the same shape and laid in ``out`` if given, of an sRGB image H x W x 3 uint8."""
    return np.asarray(cv2.LUT(image, _TO_LINEAR, dst=out), np.float32).reshape(image.shape)


def encode_srgb(light: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
    """Write the sRGB codes of ``light`` (from 0 to 2, overwritten here) to ``out`` of the same shape."""
    light *= np.float32(LINEAR_LEVELS)
    light += np.float32(0.5)
    np.take(_TO_SRGB, light.astype(np.uint16), out=out, mode="clip")
