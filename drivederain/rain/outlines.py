"""Irregular outlines: one smooth random warp of the whole sheet bends every round drop a little."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain.canvas import Canvas
from drivederain.rain.streams import Stage, stream

Warp = tuple[NDArray[np.float32], NDArray[np.float32]]

# (cell of the noise, reach of the warp), both in mm on the glass: coarse bends and fine wobble.
_COARSE_MM: Final = (2.2, 0.35)
_FINE_MM: Final = (0.8, 0.12)


def _noise_grid(rng: np.random.Generator, canvas: Canvas, cell_px: float) -> NDArray[np.float32]:
    """Uniform noise in [-1, 1], one value a cell, at least one cell more than fits on each side."""
    cell = max(cell_px, 1.0)
    shape = (int(canvas.height / cell) + 3, int(canvas.width / cell) + 3)
    return (2 * rng.random(shape) - 1).astype(np.float32)


def draw_warp(seed: int, key: str, canvas: Canvas, px_per_mm: float, out: NDArray[np.float32]) -> Warp:
    """The places (x, y; float32 of the canvas' size) from which the warped sheet takes its values, laid in ``out``."""
    rng = stream(seed, key, Stage.OUTLINES)
    size = (canvas.width, canvas.height)
    shifts = []
    for sheet in out:
        coarse = _noise_grid(rng, canvas, _COARSE_MM[0] * px_per_mm) * np.float32(_COARSE_MM[1] * px_per_mm)
        fine = _noise_grid(rng, canvas, _FINE_MM[0] * px_per_mm) * np.float32(_FINE_MM[1] * px_per_mm)
        fine += cv2.resize(coarse, (fine.shape[1], fine.shape[0]), interpolation=cv2.INTER_CUBIC)
        shifts.append(cv2.resize(fine, size, dst=sheet, interpolation=cv2.INTER_CUBIC))
    x, y = shifts
    x += np.arange(canvas.width, dtype=np.float32)
    y += np.arange(canvas.height, dtype=np.float32)[:, None]
    return x, y


def warped(sheet: NDArray[np.float32], warp: Warp, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """The sheet with its outlines bent, laid in ``out`` if given; what the warp brings in from outside is empty."""
    bent = cv2.remap(sheet, *warp, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(bent, np.float32)
