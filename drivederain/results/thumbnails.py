"""Thumbnails of all pictures of one folder of ``images/``, side by side in one small file.

``thumbnails.webp`` holds tiles of 96 pixels across: the rainy input, the truth where the data set has one, and the
output of each method in the order of ``run.json``. They are made when the pictures are stored, so that a report of
thousands of pictures need not open them. Together they take about a tenth less than apart, and about half of what JPEG
takes: 650 bytes a tile.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivederain.results.run_folder import folder_name

VERSION = 2
"""Raised when strips are made in another way, so that they are made again."""
NAME = "thumbnails.webp"
WIDTH = 96
"""Of a tile, pixels."""
TALLEST = 192
"""Of a tile, pixels; higher pictures are narrower in it."""
MOST_TILES = 16_383 // WIDTH
"""Of a strip, as WebP has no wider pictures; more methods have no thumbnails."""
QUALITY = 50
"""Of WebP, 0 to 100."""
GREY = 128


def tile_files(methods: Sequence[str], has_truth: bool) -> list[str]:
    """The files whose thumbnails a strip holds, in its order. ``methods`` are without the rainy input."""
    truth = ["clear.png"] if has_truth else []
    return ["rainy.png", *truth, *(f"{folder_name(method)}.png" for method in methods)]


def strip_of(pictures: Sequence[NDArray[np.uint8] | None]) -> bytes:
    """The WebP file of tiles side by side; ``None`` gives a grey tile.

    Args:
        pictures: H x W x 3 RGB each, the first one there; one of another shape is drawn into a tile of the first's.
    """
    import cv2

    first = pictures[0]
    if first is None:
        raise ValueError("a strip needs its first picture, which gives the height")
    height = max(1, round(first.shape[0] * WIDTH / first.shape[1]))
    width = WIDTH if height <= TALLEST else max(1, round(WIDTH * TALLEST / height))
    height = min(height, TALLEST)
    strip = np.full((height, WIDTH * len(pictures), 3), GREY, np.uint8)
    for place, picture in enumerate(pictures):
        if picture is not None:
            left = place * WIDTH + (WIDTH - width) // 2
            small = cv2.resize(picture[..., ::-1], (width, height), interpolation=cv2.INTER_AREA)
            strip[:, left : left + width] = small
    packed, buffer = cv2.imencode(".webp", strip, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    if not packed:
        raise ValueError(f"no WebP could be made of a strip of shape {strip.shape}")
    data: bytes = buffer.tobytes()
    return data


def strip_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels by the head of a lossy WebP file (RFC 9649, section 2.5), ``None`` if it is none."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:16] != b"WEBPVP8 " or data[23:26] != b"\x9d\x01\x2a":
        return None
    return (data[26] | data[27] << 8) & 0x3FFF, (data[28] | data[29] << 8) & 0x3FFF
