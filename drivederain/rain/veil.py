"""The haze of rain in the air between the camera and the scene."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain.conditions import Conditions

_ROAD_SCALE_M = 1.4  # height of the camera over the road, m


@dataclass(frozen=True)
class Veil:
    """``transmission``: share of the scene's light that arrives, one float32 a row. ``airlight``: linear colour, 3."""

    transmission: NDArray[np.float32]
    airlight: NDArray[np.float32]

    def at_height(self, rows: int) -> Veil:
        """The same haze for a copy of the photo with that many rows."""
        column = cv2.resize(self.transmission[:, None], (1, rows), interpolation=cv2.INTER_AREA)
        return Veil(np.asarray(column, np.float32).reshape(rows), self.airlight)

    def apply(self, picture: NDArray[np.float32], first_row: int = 0) -> None:
        """Lay the haze over rows ``first_row`` and on of a picture (rows x W x 3, linear), in place."""
        rows, width = picture.shape[:2]
        arrives = self.transmission[first_row : first_row + rows, None]
        flat = picture.reshape(rows, width * 3)
        flat *= arrives
        flat += (1 - arrives) * np.tile(self.airlight, width)


def extinction_per_km(rain_rate_mm_h: float) -> float:
    """Extinction of rain, 1/km: 0.312 R^0.67 (Weber et al. 2015)."""
    return float(0.312 * rain_rate_mm_h**0.67)


def make_veil(conditions: Conditions, colour: NDArray[np.float32]) -> Veil:
    """The haze over a flat road that ends softly in a far plane, smoothed over a twelfth of the height."""
    height = conditions.height
    below = np.maximum((np.arange(height) / height - conditions.horizon) * height, 0)
    road = _ROAD_SCALE_M * conditions.focal_px / np.maximum(below, 0.5)
    road[below <= 0] = 1e6
    distance = (road**-2.0 + conditions.far_plane_m**-2.0) ** -0.5
    arrives = np.exp(-extinction_per_km(conditions.rain_rate_mm_h) * distance / 1000).astype(np.float32)
    smooth = cv2.GaussianBlur(arrives[:, None], (1, 2 * (height // 12) + 1), height / 24)
    return Veil(np.asarray(smooth, np.float32).reshape(height), colour)
