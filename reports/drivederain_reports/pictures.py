"""Previews of stored pictures: scaled down, lossily packed and written into the page as data addresses."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

MASK_COLOUR = (0, 140, 255)
"""BGR orange, which stands out from sky, road and leaves, also for the colour-blind."""
MASK_THRESHOLD = 0.1
"""The soft mask's value from which the region ``drops`` counts a pixel (strictly above)."""


@dataclass(frozen=True)
class PreviewSize:
    """How much a preview may take."""

    width: int
    quality: int
    """Of JPEG, 0 to 100."""


SIZES = (PreviewSize(960, 88), PreviewSize(800, 86), PreviewSize(640, 84), PreviewSize(512, 80))


def read_picture(path: Path) -> NDArray[np.uint8] | None:
    """H x W x 3 BGR, or ``None`` where the file is missing or cannot be decoded."""
    return _decode(path, cv2.IMREAD_COLOR)


def read_mask(path: Path) -> NDArray[np.uint8] | None:
    """H x W, or ``None`` where the file is missing or cannot be decoded."""
    return _decode(path, cv2.IMREAD_GRAYSCALE)


def _decode(path: Path, flags: int) -> NDArray[np.uint8] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if not data:
        return None
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return None if decoded is None else decoded.astype(np.uint8)


def preview(picture: NDArray[np.uint8], size: PreviewSize) -> str:
    """A JPEG of at most ``size.width`` pixels across as a ``data:`` address."""
    return _address(_shrink(picture, size.width), "jpeg", [cv2.IMWRITE_JPEG_QUALITY, size.quality])


def mask_overlay(mask: NDArray[np.uint8], size: PreviewSize) -> str:
    """The drops of a soft mask, tinted and outlined on transparent ground, as a ``data:`` address."""
    small = _shrink(mask, size.width)
    drops = (small > 255 * MASK_THRESHOLD).astype(np.uint8)
    outline = cv2.morphologyEx(drops, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    layer = np.zeros((*small.shape, 4), np.uint8)
    layer[..., :3] = MASK_COLOUR
    layer[..., 3] = np.where(outline > 0, 235, np.where(drops > 0, 70, 0))
    return _address(layer, "png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _address(picture: NDArray[np.uint8], kind: str, options: list[int]) -> str:
    packed, buffer = cv2.imencode(f".{kind}", picture, options)
    if not packed:
        raise ValueError(f"no {kind} could be made of a picture of shape {picture.shape}")
    return f"data:image/{kind};base64," + base64.b64encode(buffer.tobytes()).decode("ascii")


def _shrink(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    height, across = picture.shape[:2]
    if across <= width:
        return picture
    return cv2.resize(picture, (width, max(1, round(height * width / across))), interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )
