"""Drops that run down the glass: they wipe a path clear, leave a low ridge and beads, and end in a tear-shaped head."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain.canvas import Canvas
from drivederain.rain.conditions import Conditions
from drivederain.rain.drops import Caps, make_caps
from drivederain.rain.streams import Stage, between, normal, stream

_WIDEST_MM: Final = 4.2
_MEMORY: Final = 0.9  # of the AR(1) lateral walk, a step
_KICK: Final = 0.16
_SIDEWAYS: Final = 0.55
_SUBPIXEL_BITS: Final = 4
RIDGE_MM: Final = 0.28


@dataclass(frozen=True)
class RunOff:
    """One path, from its start to its head: x and y in canvas pixels a step, the width of the drop, and the uniforms
    (steps x 4) that place its beads."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    radius: float
    step: float
    bead_u: NDArray[np.float64]


def draw_run_offs(
    seed: int, key: str, conditions: Conditions, canvas: Canvas, running: NDArray[np.float64]
) -> list[RunOff]:
    """Draw the run-offs of the stratum. The first start from the drops in ``running`` (n x 3: x, y, radius), more are
    placed anywhere on the upper glass; any drop too heavy to sit that is over the number has run off already."""
    rng = stream(seed, key, Stage.RUN_OFFS)
    low, high = conditions.run_offs
    wanted = low + int(float(rng.random()) * (high - low + 1))
    paths = []
    for index in range(wanted):
        place = rng.random(4).tolist()
        if index < len(running):
            x, y = float(running[index, 0]), float(running[index, 1])
            radius = min(float(running[index, 2]), _WIDEST_MM * conditions.px_per_mm)
        else:
            x, y = place[0] * canvas.width, place[1] * 0.8 * conditions.height
            radius = between(place[2], 2.2, 3.4) * conditions.px_per_mm
        length = between(place[3], 0.25, 0.9) * conditions.height
        step = max(2.0, 0.35 * radius)
        steps = max(1, int(length / step))
        kicks = (_KICK * normal(rng.random(steps))).tolist()
        drift = np.array(list(accumulate(kicks, lambda last, kick: _MEMORY * last + kick)))
        paths.append(
            RunOff(
                x=x + np.cumsum(drift) * step * _SIDEWAYS,
                y=y - 0.5 * length + np.arange(steps, dtype=np.float64) * step,
                radius=radius,
                step=step,
                bead_u=rng.random((steps, 4)),
            )
        )
    return paths


def wiped_and_ridge(paths: list[RunOff], canvas: Canvas) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two maps of the canvas' size in [0, 1]: what the paths leave of older drops, and where they lay their ridge."""
    wiped = np.full((canvas.height, canvas.width), 255, np.uint8)
    ridge = np.zeros((canvas.height, canvas.width), np.uint8)
    for path in paths:
        points = np.round(np.stack([path.x, path.y], 1) * 2**_SUBPIXEL_BITS).astype(np.int32).reshape(-1, 1, 2)
        for sheet, value, share, least in ((wiped, 0, 1.3, 2.0), (ridge, 255, 0.55, 1.0)):
            thickness = int(max(least, share * path.radius))
            cv2.polylines(sheet, [points], False, value, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    wiped = cv2.GaussianBlur(wiped, (0, 0), 1.0)
    level = np.arange(256, dtype=np.float32) / np.float32(255)
    size = (canvas.height, canvas.width)
    left, laid = (np.asarray(cv2.LUT(sheet, level), np.float32).reshape(size) for sheet in (wiped, ridge))
    return left, laid


def beads_and_heads(paths: list[RunOff], conditions: Conditions) -> list[Caps]:
    """The caps that run-offs leave: beads along the path, and the head at its end."""
    caps = []
    for path in paths:
        gaps = np.maximum(1, (between_all(path.bead_u[:, 0], 0.5, 3.2) * path.radius / path.step).astype(np.intp))
        at = np.cumsum(gaps)
        at = at[at < len(path.x) - 2]
        u = path.bead_u[: len(at), 1:]
        caps.append(
            make_caps(
                path.x[at] + (u[:, 0] - 0.5) * path.radius * 0.5,
                path.y[at],
                path.radius * (0.18 + 0.30 * u[:, 1]),
                1 + 0.7 * u[:, 2],
                conditions.contact_angle,
            )
        )
        size, rise = np.array([1.0, 0.8, 0.55]), np.array([1.0, -0.75, -1.45])  # a tear of three caps, wide end down
        caps.append(
            make_caps(
                np.full(3, path.x[-1]),
                path.y[-1] + 0.75 * path.radius * rise,
                0.8 * path.radius * size,
                1.15,
                1.05 * conditions.contact_angle,
            )
        )
    return caps


def between_all(u: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Uniforms on [low, high) from uniforms on [0, 1)."""
    return low + (high - low) * u
