"""Lossless PNG bytes of drawn pictures and masks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.errors import DataError

_OPTIONS = [cv2.IMWRITE_PNG_COMPRESSION, 2, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
"""Runs of equal bytes and no longer matches: on photographs that is a quarter faster than zlib's own strategy at this
level and 4 % smaller (22 road photographs); higher levels cost seconds and save a few percent."""


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """The PNG file of an H x W x 3 RGB or H x W picture of 8 bit."""
    stored = picture if picture.ndim == 2 else picture[..., ::-1]
    ok, data = cv2.imencode(".png", np.ascontiguousarray(stored), _OPTIONS)
    if not ok:
        raise DataError(f"a picture of shape {picture.shape} cannot be written as PNG")
    encoded: bytes = data.tobytes()
    return encoded


def decode_png(data: bytes) -> NDArray[np.uint8]:
    """The picture that ``encode_png`` was given."""
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise DataError("not a PNG that this program wrote")
    return np.ascontiguousarray(stored if stored.ndim == 2 else stored[..., ::-1], dtype=np.uint8)
