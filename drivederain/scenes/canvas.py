"""The picture being drawn: linear light in float32, filled by polygons, textured quadrilaterals and sprites."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from .arrays import Array

_SHIFT = 4  # binary digits below the pixel in polygon corners
_FAR = 30000.0


class Canvas:
    """``light`` is height x width x 3, float32, linear, not bounded above. Later strokes cover earlier ones."""

    def __init__(self, height: int, width: int) -> None:
        self.light: Array = np.zeros((height, width, 3), dtype=np.float32)

    def polygon(self, corners: Array, colour: Array) -> None:
        """Fills a polygon (n x 2, column and row) with one colour."""
        cv2.fillPoly(self.light, [_fixed(corners)], colour.tolist(), cv2.LINE_8, _SHIFT)

    def shaded(self, corners: Array, top: Array, bottom: Array) -> None:
        """Fills a polygon with a vertical gradient from its highest to its lowest corner."""
        box = self._box(corners)
        if box is None:
            return
        x0, y0, x1, y1 = box
        mask = np.zeros((y1 - y0, x1 - x0), dtype=np.uint8)
        cv2.fillPoly(mask, [_fixed(corners - (x0, y0))], 255, cv2.LINE_8, _SHIFT)
        low, high = float(corners[:, 1].min()), float(corners[:, 1].max())
        part = np.clip((np.arange(y0, y1, dtype=np.float32) + 0.5 - low) / max(high - low, 1e-3), 0.0, 1.0)
        rows = top[None, :] + part[:, None] * (bottom - top)[None, :]
        np.copyto(self.light[y0:y1, x0:x1], rows[:, None, :].astype(np.float32), where=mask[:, :, None] > 0)

    def textured(self, corners: Array, texture: Array) -> None:
        """Draws a texture (h x w x 3) in perspective; corners (4 x 2) of its top left, top right, bottom right,
        bottom left."""
        box = self._box(corners)
        if box is None:
            return
        x0, y0, x1, y1 = box
        height, width = texture.shape[:2]
        local = (corners - (x0, y0)).astype(np.float32)
        mask = np.zeros((y1 - y0, x1 - x0), dtype=np.uint8)
        cv2.fillPoly(mask, [_fixed(local)], 255, cv2.LINE_8, _SHIFT)
        source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32) - np.float32(0.5)
        if abs(cv2.contourArea(local)) < 0.5:
            return
        transform = cv2.getPerspectiveTransform(source, local)
        warped = cv2.warpPerspective(
            texture, transform, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        np.copyto(self.light[y0:y1, x0:x1], warped, where=mask[:, :, None] > 0)

    def sprite(self, x0: int, y0: int, colour: Array, opacity: Array) -> None:
        """Blends a block of colour (h x w x 3) with an opacity (h x w, 0 to 1) whose first pixel is (x0, y0)."""
        height, width = opacity.shape
        target = self.light[y0 : y0 + height, x0 : x0 + width]
        target += (colour - target) * opacity[:, :, None]

    def path(self, points: Array, thickness: float, colour: Array) -> None:
        """Draws straight lines from point to point (n x 2)."""
        for first, second in pairwise(points.tolist()):
            self.stroke((first[0], first[1]), (second[0], second[1]), thickness, colour)

    def stroke(self, start: tuple[float, float], end: tuple[float, float], thickness: float, colour: Array) -> None:
        """Draws a straight line of a thickness in pixels (at least one)."""
        a, b = _fixed(np.array([start, end]))
        cv2.line(
            self.light,
            (int(a[0]), int(a[1])),
            (int(b[0]), int(b[1])),
            colour.tolist(),
            max(1, round(thickness)),
            cv2.LINE_8,
            _SHIFT,
        )

    def clip(self, left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int] | None:
        """The part of a box inside the picture, in whole pixels, or None if there is none."""
        height, width = self.light.shape[:2]
        x0, y0 = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
        x1, y1 = min(width, int(np.ceil(right)) + 1), min(height, int(np.ceil(bottom)) + 1)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def _box(self, corners: Array) -> tuple[int, int, int, int] | None:
        low, high = corners.min(axis=0), corners.max(axis=0)
        return self.clip(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _fixed(corners: Array) -> Array:
    # cv2 puts a pixel's centre on whole numbers; here a pixel's centre is at a half
    return np.rint((np.clip(corners, -_FAR, _FAR) - 0.5) * (1 << _SHIFT)).astype(np.int32)
