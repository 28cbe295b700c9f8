"""Light and shadow on the ground, as a plan of the road: sun shadows, shade under things, pools of lamp light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from .arrays import Array
from .illumination import Illumination

HALF_WIDTH = 26.0  # metres either side of the centre line
LENGTH = 180.0
CELL_X, CELL_S = 0.1, 0.2


class Block(Protocol):
    """What the shadows need of a building."""

    @property
    def side(self) -> int: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def lateral(self) -> float: ...
    @property
    def height(self) -> float: ...


class Shadows:
    """The rooflines of both sides of the street, and how high their shadow reaches at a road position."""

    def __init__(self, blocks: Sequence[Block], to_sun: Array, wall_line: float) -> None:
        self._to_sun = to_sun
        self._s = np.arange(-60.0, 300.0, 0.5, dtype=np.float32)
        self._lateral = {-1: wall_line, 1: wall_line}
        self._height = {side: np.full(self._s.size, -100.0, dtype=np.float32) for side in (-1, 1)}
        for block in blocks:
            inside = (self._s >= block.start) & (self._s < block.end)
            self._height[block.side][inside] = block.height
            self._lateral[block.side] = block.lateral

    def height(self, lateral: Array, s: Array) -> Array:
        """The height below which a point at a road position is in the shadow of a building; at most 0 for none."""
        x, up, z = (float(v) for v in self._to_sun)
        result = np.full(np.broadcast(lateral, s).shape, -100.0, dtype=np.float32)
        if abs(x) < 1e-3:
            return result
        side = 1 if x > 0 else -1
        way = (side * self._lateral[side] - lateral) / x
        position = s + way * z
        roof = self._height[side][np.clip(((position + 60.0) * 2.0).astype(np.int64), 0, self._s.size - 1)]
        return np.where(way * abs(x) > 0.8, roof - way * up, result).astype(np.float32)


class GroundLight:
    """A plan of the ground: ``sun`` (0 to 1), ``open`` (0 to 1, the share of sky seen) and ``local`` (RGB)."""

    def __init__(self, light: Illumination, shadows: Shadows, curvature: float) -> None:
        self._light = light
        self._rows, self._columns = int(LENGTH / CELL_S), int(2 * HALF_WIDTH / CELL_X)
        s = (np.arange(self._rows // 2, dtype=np.float32)[:, None] + 0.5) * np.float32(2 * CELL_S)
        x = (np.arange(self._columns // 2, dtype=np.float32)[None, :] + 0.5) * np.float32(2 * CELL_X) - HALF_WIDTH
        lit = np.clip(0.5 - shadows.height(x, s) / 0.5, 0.0, 1.0) if float(light.sun.max()) > 0.0 else np.ones((1, 1))
        size = (self._columns, self._rows)
        self.sun: Array = cv2.resize(lit.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        self.open: Array = np.ones((self._rows, self._columns), dtype=np.float32)
        self.local: Array = self._lamps(light, curvature)

    def _lamps(self, light: Illumination, curvature: float) -> Array:
        step = 1.0
        s = (np.arange(int(LENGTH / step), dtype=np.float32)[:, None] + 0.5) * step
        x = (np.arange(int(2 * HALF_WIDTH / step), dtype=np.float32)[None, :] + 0.5) * step - HALF_WIDTH
        total = np.zeros((s.size, x.size, 3), dtype=np.float32)
        world_x = x + 0.5 * curvature * s * s
        for head in light.lamp_heads:
            square = (world_x - head[0]) ** 2 + (s - head[2]) ** 2
            total += light.lamp * (1.0 / (1.0 + square / 40.0) ** 1.6)[:, :, None] * np.float32(1.15)
        return total

    def cast(self, outline: Array, height: float, low: float = 0.0, strength: float = 1.0) -> None:
        """Casts the shadow of an upright prism over a plan outline (n x 2: lateral, s), ``low`` to ``height``."""
        x, up, z = (float(v) for v in self._light.to_sun)
        if up < 0.05 or float(self._light.sun.max()) <= 0.0:
            return
        shift = np.array([-x / up, -z / up])
        points = np.concatenate([outline + shift * low, outline + shift * min(height, 60.0 * up)])
        stamp = self._stamp(cv2.convexHull(self._cells(points))[:, 0, :], 0)
        if stamp is not None:
            place, mask = stamp
            self.sun[place] *= 1.0 - np.float32(strength) * mask

    def dapple(self, outline: Array, height: float, texture: Array) -> None:
        """Casts the broken shadow of a tree's crown whose middle is at a height; ``texture`` wraps, 0 to 1."""
        x, up, z = (float(v) for v in self._light.to_sun)
        if up < 0.05 or float(self._light.sun.max()) <= 0.0:
            return
        stamp = self._stamp(self._cells(outline + np.array([-x / up, -z / up]) * min(height, 60.0 * up)), 0)
        if stamp is not None:
            place, mask = stamp
            rows = np.arange(place[0].start, place[0].stop) % texture.shape[0]
            columns = np.arange(place[1].start, place[1].stop) % texture.shape[1]
            self.sun[place] *= 1.0 - mask * texture[np.ix_(rows, columns)]

    def shade_under(self, outline: Array, strength: float) -> None:
        """Darkens the sky's light under and beside something that stands on a plan outline (n x 2)."""
        stamp = self._stamp(self._cells(outline), 14)
        if stamp is not None:
            place, mask = stamp
            self.open[place] *= 1.0 - np.float32(strength) * cv2.GaussianBlur(mask, (0, 0), 2.6)

    def _stamp(self, cells: Array, margin: int) -> tuple[tuple[slice, slice], Array] | None:
        """The part of the plan round a polygon (n x 2 cells) and the polygon's mask there; None outside the plan."""
        left, top = np.maximum(cells.min(axis=0) - margin, 0).tolist()
        right, bottom = np.minimum(cells.max(axis=0) + 1 + margin, (self._columns, self._rows)).tolist()
        if left >= right or top >= bottom:
            return None
        mask = np.zeros((bottom - top, right - left), dtype=np.float32)
        cv2.fillPoly(mask, [cells - np.array([left, top], dtype=np.int32)], 1.0)
        return (slice(top, bottom), slice(left, right)), mask

    def pool(self, lateral: float, s: float, wide: float, long: float, colour: Array) -> None:
        """Adds an oval pool of light (half widths in metres) on the ground."""
        rows, columns = self.local.shape[:2]
        y = (np.arange(rows, dtype=np.float32)[:, None] + 0.5 - s) / long
        x = (np.arange(columns, dtype=np.float32)[None, :] + 0.5 - HALF_WIDTH - lateral) / wide
        self.local += colour * np.exp(-(x * x + y * y))[:, :, None]

    def soften(self) -> None:
        """Blurs the edges of the sun's shadows a little, for the sun is not a point."""
        self.sun = cv2.GaussianBlur(self.sun, (0, 0), 0.8)

    def sunlit(self, lateral: float, s: float) -> float:
        """The sun's share at a road position."""
        row = min(max(int(s / CELL_S), 0), self._rows - 1)
        column = min(max(int((lateral + HALF_WIDTH) / CELL_X), 0), self._columns - 1)
        return float(self.sun[row, column])

    def at(self, lateral: Array, s: Array, point_light: Array) -> Array:
        """The light (... x 3) on the ground at road positions (...); ``point_light`` (...) is the headlights' part."""
        map_x = (lateral + np.float32(HALF_WIDTH)).astype(np.float32)
        cell_x = map_x * np.float32(1.0 / CELL_X) - np.float32(0.5)
        cell_s = s * np.float32(1.0 / CELL_S) - np.float32(0.5)
        edge = cv2.BORDER_REPLICATE
        opening = cv2.remap(self.open, cell_x, cell_s, cv2.INTER_LINEAR, borderMode=edge)
        result: Array = self._light.ambient * opening[:, :, None]
        up = float(self._light.to_sun[1])
        if up > 0.0 and float(self._light.sun.max()) > 0.0:
            sun = cv2.remap(self.sun, cell_x, cell_s, cv2.INTER_LINEAR, borderMode=edge)
            result = result + (self._light.sun * np.float32(up)) * sun[:, :, None]
        if self._light.lights_on:
            local = cv2.remap(
                self.local, map_x - np.float32(0.5), s - np.float32(0.5), cv2.INTER_LINEAR, borderMode=edge
            )
            result = result + local * (0.4 + 0.6 * opening)[:, :, None]
            result = result + self._light.headlight * point_light[:, :, None]
        return result

    def _cells(self, points: Array) -> Array:
        cells = (points + np.array([HALF_WIDTH, 0.0])) / np.array([CELL_X, CELL_S])
        whole: Array = np.rint(np.clip(cells, -5000, 5000)).astype(np.int32)
        return whole
