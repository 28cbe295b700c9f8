"""The dash camera: a pinhole over a flat road, and the grid of ground positions its pixels see.

World frame: X to the right, Y up, Z forward, metres; the road's centre line leaves the origin along Z and bends as
X = curvature * Z ** 2 / 2. A road position is (lateral from the centre line, distance s = Z).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array

NEAR = 1.2  # metres; nothing nearer is drawn


@dataclass(frozen=True)
class Camera:
    """A camera of ``height`` x ``width`` pixels. ``horizon`` is the horizon's row as a part of the height."""

    height: int
    width: int
    fov_deg: float
    horizon: float
    camera_height: float
    lateral: float
    yaw_deg: float
    roll_deg: float
    curvature: float

    @property
    def focal(self) -> float:
        """Focal length in pixels, from the horizontal field of view."""
        return 0.5 * self.width / math.tan(math.radians(self.fov_deg) / 2.0)

    @property
    def horizon_row(self) -> float:
        """The horizon's row in pixels at the middle column."""
        return self.horizon * self.height

    def bend(self, s: Array | float) -> Array | float:
        """X of the centre line at distance s."""
        return 0.5 * self.curvature * s * s

    def world(self, lateral: float, y: float, s: float) -> tuple[float, float, float]:
        """A road position and a height as a world point."""
        return (lateral + 0.5 * self.curvature * s * s, y, s)

    def heading(self, s: float) -> float:
        """Angle of the road to Z at distance s, radians."""
        return math.atan(self.curvature * s)

    def project(self, points: Array) -> tuple[Array, Array]:
        """World points (n x 3) as pixels (n x 2) and depths (n). Depths below NEAR are pushed to NEAR."""
        yaw, roll = math.radians(self.yaw_deg), math.radians(self.roll_deg)
        x = points[:, 0] - self.lateral
        y = points[:, 1] - self.camera_height
        z = points[:, 2]
        side = x * math.cos(yaw) - z * math.sin(yaw)
        depth = x * math.sin(yaw) + z * math.cos(yaw)
        safe = np.maximum(depth, NEAR)
        right, down = side / safe, -y / safe
        column = 0.5 * self.width + self.focal * (right * math.cos(roll) - down * math.sin(roll))
        row = self.horizon_row + self.focal * (right * math.sin(roll) + down * math.cos(roll))
        return np.stack([column, row], axis=1), depth

    def point(self, lateral: float, y: float, s: float) -> tuple[float, float, float]:
        """Column, row and pixels a metre of a road position at a height."""
        pixels, depth = self.project(np.array([self.world(lateral, y, s)]))
        return float(pixels[0, 0]), float(pixels[0, 1]), self.focal / max(float(depth[0]), NEAR)

    def rays(self, first_row: int, last_row: int, row_step: int, column_step: int) -> tuple[Array, Array]:
        """Slopes (right, down) of the rays through the middles of blocks of row_step x column_step pixels, from
        first_row up to last_row at least, float32."""
        roll = math.radians(self.roll_deg)
        column = np.arange(0, self.width, column_step) + 0.5 * column_step
        row = np.arange(first_row, last_row, row_step) + 0.5 * row_step
        columns = ((column - 0.5 * self.width) / self.focal).astype(np.float32)[None, :]
        rows = ((row - self.horizon_row) / self.focal).astype(np.float32)[:, None]
        cos, sin = np.float32(math.cos(roll)), np.float32(math.sin(roll))
        return columns * cos + rows * sin, rows * cos - columns * sin

    def highest_visible(self, s: float) -> float:
        """About the greatest height in metres that shows in the picture at a distance."""
        tilt = abs(math.tan(math.radians(self.roll_deg))) * 0.5 * self.width
        return self.camera_height + 1.1 * s * (self.horizon_row + tilt) / self.focal + 0.5

    def visible_span(self, s: float) -> tuple[float, float]:
        """About the least and the greatest lateral position that show in the picture at a distance."""
        half = 0.55 * self.width / self.focal * s + 1.0
        middle = self.lateral + math.tan(math.radians(self.yaw_deg)) * s - 0.5 * self.curvature * s * s
        return middle - half, middle + half

    def horizon_span(self) -> tuple[int, int]:
        """First and last row that hold a part of the horizon, clipped to the picture."""
        tilt = abs(math.tan(math.radians(self.roll_deg))) * 0.5 * self.width
        first = math.floor(self.horizon_row - tilt)
        last = math.ceil(self.horizon_row + tilt) + 1
        return min(max(first, 0), self.height - 1), min(max(last, 1), self.height)

    def first_visible(self, lateral: float) -> float:
        """About the least distance at which something at a lateral position can stand inside the picture."""
        half = math.radians(self.fov_deg / 2.0)
        towards = math.radians(self.yaw_deg) * (1.0 if lateral > self.lateral else -1.0)
        return max(NEAR + 0.3, 0.85 * abs(lateral - self.lateral) / math.tan(min(half + towards, 1.4)))
