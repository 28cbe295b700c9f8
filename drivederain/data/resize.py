"""``--size N``: the shorter side becomes N pixels by area interpolation. Pictures are made smaller, never larger."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def effective_size(height: int, width: int, size: int | None) -> int | None:
    """``size`` where it shrinks a picture of this height and width, else ``None``: it stays native."""
    return size if size is not None and size < min(height, width) else None


def resize_shorter(picture: NDArray[np.uint8], size: int | None) -> NDArray[np.uint8]:
    """Shrink so that the shorter side is ``size`` pixels; a picture that is not larger is returned as it is.

    Args:
        picture: H x W x 3 or H x W.
        size: pixels, ``None`` for native.
    """
    height, width = picture.shape[:2]
    if effective_size(height, width, size) is None:
        return picture
    assert size is not None
    scale = size / min(height, width)
    target = (max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5)))
    return np.asarray(cv2.resize(picture, target, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def size_label(size: int | None) -> str:
    """What the results say of an effective size."""
    return "native" if size is None else str(size)
