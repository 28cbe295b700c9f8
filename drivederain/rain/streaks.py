"""Drops that fall in front of the car, blurred into faint lines by the exposure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain.conditions import Conditions
from drivederain.rain.streams import Stage, between, poisson, stream

STRONGEST: Final = 0.18  # opacity; above it streaks look like scratches on the picture
_DRAWN_ROWS: Final = 512  # streaks are drawn at about this height and enlarged, so that they keep their width in angle
_SUBPIXEL_BITS: Final = 4
_BRIGHTNESS_STEPS: Final = 24


@dataclass(frozen=True)
class _Layer:
    """Streaks at one distance: strength, length over the photo's height, number at 5 mm/h on 512 x 512, width."""

    strength: float
    length: float
    count: float
    width: int


_LAYERS: Final = (_Layer(0.50, 0.02, 260, 1), _Layer(0.75, 0.05, 90, 1), _Layer(0.65, 0.10, 14, 2))


@dataclass(frozen=True)
class Streaks:
    """``opacity``: H x W float32 in [0, `STRONGEST`]. ``colour``: linear, 3. ``angle_deg``: from the vertical."""

    opacity: NDArray[np.float32]
    colour: NDArray[np.float32]
    angle_deg: float

    def at_size(self, width: int, height: int) -> Streaks:
        """The same streaks for a smaller copy of the photo."""
        small = cv2.resize(self.opacity, (width, height), interpolation=cv2.INTER_AREA)
        return Streaks(np.asarray(small, np.float32).reshape(height, width), self.colour, self.angle_deg)

    def apply(self, picture: NDArray[np.float32], first_row: int = 0) -> None:
        """Lay the streaks over rows ``first_row`` and on of a picture (rows x W x 3, linear), in place."""
        rows, width = picture.shape[:2]
        flat = picture.reshape(rows, width * 3)
        opacity = cv2.cvtColor(self.opacity[first_row : first_row + rows], cv2.COLOR_GRAY2RGB).reshape(flat.shape)
        lift = np.tile(self.colour, width) - flat
        lift *= opacity
        flat += lift


def draw_streaks(seed: int, key: str, conditions: Conditions, ambient: NDArray[np.float32]) -> Streaks:
    """Draw the streaks of a photo in light of the colour ``ambient`` (linear, 3)."""
    rng = stream(seed, key, Stage.STREAKS)
    angle = between(float(rng.random()), -12.0, 12.0)
    shrink = max(1, round(conditions.height / _DRAWN_ROWS))
    width, height = -(-conditions.width // shrink), -(-conditions.height // shrink)
    drawn = np.zeros((height, width), np.uint8)
    slant = float(np.tan(np.radians(angle)))
    for layer in _LAYERS:
        mean = layer.count * (conditions.rain_rate_mm_h / 5) ** 0.5 * height * width / 512**2
        count = poisson(float(rng.random()), mean)
        u = rng.random((count, 4))
        length = layer.length * height * (0.6 + 0.8 * u[:, 2])
        start = np.stack([u[:, 0] * width, (u[:, 1] * 1.1 - 0.1) * height], 1)
        stop = start + np.stack([slant * length, length], 1)
        segments = np.round(np.stack([start, stop], 1) * 2**_SUBPIXEL_BITS).astype(np.int32)
        # Streaks of about one brightness are drawn by one call.
        shade = (u[:, 3] * _BRIGHTNESS_STEPS).astype(np.intp)
        lines = list(segments[np.argsort(shade, kind="stable")])
        ends = np.cumsum(np.bincount(shade, minlength=_BRIGHTNESS_STEPS)).tolist()
        for step, (first, end) in enumerate(pairwise([0, *ends])):
            if first < end:
                brightness = 255 * layer.strength * (0.35 + 0.65 * (step + 0.5) / _BRIGHTNESS_STEPS)
                cv2.polylines(drawn, lines[first:end], False, brightness, layer.width, cv2.LINE_AA, _SUBPIXEL_BITS)
    opacity = np.arange(256, dtype=np.float32) * np.float32(STRONGEST / 255)
    soft = np.asarray(cv2.LUT(cv2.GaussianBlur(drawn, (0, 0), 0.8), opacity), np.float32).reshape(height, width)
    if shrink > 1:
        soft = cv2.resize(soft, (width * shrink, height * shrink), interpolation=cv2.INTER_LINEAR)
        soft = np.ascontiguousarray(soft[: conditions.height, : conditions.width])
    return Streaks(soft, np.minimum(ambient * np.float32(1.9), np.float32(1)), angle)
