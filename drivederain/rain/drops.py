"""The drops that sit on the glass: where they are, how wide, how flat, and their heights as one map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivederain.rain.canvas import Canvas
from drivederain.rain.conditions import Conditions
from drivederain.rain.population import RESOLVED_RADIUS_PX, Population
from drivederain.rain.streams import Stage, discrete, normal, poisson, stream

LOBED_RADIUS_MM: Final = 1.2  # wider drops have merged with neighbours: they get two lobes
RUNNING_RADIUS_MM: Final = 3.2  # wider drops are too heavy to sit: they run
_SIZE_JITTER: Final = 0.15  # standard deviation of the logarithm of the radius
_REACH_MM: Final = 2.5  # drops centred this far outside the canvas still reach into it


@dataclass(frozen=True)
class Caps:
    """Spherical caps on the canvas; five float64 arrays of one length: centre x, y and contact radius in pixels, height
    over width of the outline, contact angle in radians."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    radius: NDArray[np.float64]
    aspect: NDArray[np.float64]
    contact_angle: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.x)


def make_caps(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    radius: NDArray[np.float64],
    aspect: NDArray[np.float64] | float,
    contact_angle: NDArray[np.float64] | float,
) -> Caps:
    """Caps from arrays, where a number stands for the same value in every cap."""
    return Caps(x, y, radius, np.broadcast_to(aspect, x.shape), np.broadcast_to(contact_angle, x.shape))


def join_caps(parts: list[Caps]) -> Caps:
    """All caps of ``parts`` (at least one), in their order."""
    return Caps(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.radius for part in parts]),
        np.concatenate([part.aspect for part in parts]),
        np.concatenate([part.contact_angle for part in parts]),
    )


@dataclass(frozen=True)
class Drops:
    """``sitting``: the caps of drops that stay. ``running``: x, y, radius (n x 3, pixels on the canvas) of those too
    heavy to stay. ``count``: drops that landed, before they got lobes."""

    sitting: Caps
    running: NDArray[np.float64]
    count: int


def draw_drops(seed: int, key: str, conditions: Conditions, canvas: Canvas, population: Population) -> Drops:
    """Draw the drops on the canvas: Poisson total, sizes by inverse CDF with lognormal jitter, uniform places."""
    rng = stream(seed, key, Stage.DROPS)
    reach = _REACH_MM * conditions.px_per_mm
    span = np.array([canvas.width + 2 * reach, canvas.height + 2 * reach])
    share = span[0] * span[1] / (conditions.width * conditions.height)
    mean = float(population.expected.sum()) * share
    count = poisson(float(rng.random()), mean)
    u = rng.random((count, 12))
    radius = np.zeros(0)
    if count:
        radius = population.radius_px[discrete(u[:, 0], population.expected)] * np.exp(_SIZE_JITTER * normal(u[:, 1]))
    x, y = (u[:, 2:4] * span - reach).T
    running = radius > RUNNING_RADIUS_MM * conditions.px_per_mm
    lobed = ~running & (radius > LOBED_RADIUS_MM * conditions.px_per_mm)
    body = make_caps(
        x[~running],
        y[~running],
        np.where(lobed, 0.9 * radius, radius)[~running],
        (conditions.aspect * (0.85 + 0.35 * u[:, 4]))[~running],
        (conditions.contact_angle * (0.85 + 0.30 * u[:, 5]))[~running],
    )
    parts = [body]
    for turn_u, size_u in ((u[lobed, 6], u[lobed, 8]), (u[lobed, 7], u[lobed, 9])):
        turn = 2 * np.pi * turn_u
        parts.append(
            make_caps(
                x[lobed] + 0.55 * radius[lobed] * np.cos(turn),
                y[lobed] + 0.55 * radius[lobed] * np.sin(turn),
                radius[lobed] * (0.40 + 0.35 * size_u),
                conditions.aspect,
                conditions.contact_angle,
            )
        )
    return Drops(join_caps(parts), np.stack([x, y, radius], 1)[running], count)


def sum_of_cubes(caps: Caps, canvas: Canvas) -> NDArray[np.float32]:
    """Sum over the caps of their height cubed, float32 of the canvas' size, pixels cubed.

    The cube root of the sum joins neighbours smoothly, as coalescing drops are. A cap is
    h = sqrt(Rs^2 - rho^2) - Rs cos(theta) with Rs = r / sin(theta). Caps of one extent are laid as one array, and all
    of them are added up by one `bincount`.
    """
    radius = np.maximum(caps.radius, RESOLVED_RADIUS_PX)
    reach = radius * np.maximum(1.0, caps.aspect)
    extent = np.ceil(reach).astype(np.intp)
    left, top = np.floor(caps.x).astype(np.intp), np.floor(caps.y).astype(np.intp)
    touching = (left + extent >= -1) & (left - extent <= canvas.width)
    touching &= (top + extent >= -1) & (top - extent <= canvas.height)
    chosen = np.flatnonzero(touching)
    chosen = chosen[np.argsort(extent[chosen], kind="stable")]
    if not len(chosen):
        return np.zeros((canvas.height, canvas.width), np.float32)
    extent, left, top, reach = extent[chosen], left[chosen], top[chosen], reach[chosen]
    x, y, aspect, angle = (value[chosen, None] for value in (caps.x, caps.y, caps.aspect, caps.contact_angle))
    sphere = radius[chosen, None] / np.sin(angle)
    base = (sphere * np.cos(angle)).astype(np.float32)[..., None]
    square = (sphere * sphere).astype(np.float32)
    # No pixel further than the extent holds water; where the reach all but fills it, rounding may say otherwise.
    looked_at = extent + (extent - reach < 1e-4 * reach)
    places: list[NDArray[np.int32]] = []
    cubes: list[NDArray[np.float32]] = []
    ends = [*(np.flatnonzero(np.diff(extent)) + 1).tolist(), len(extent)]
    for group in map(slice, [0, *ends], ends):
        k = int(looked_at[group].max())
        offset = np.arange(-k, k + 1)
        column, row = left[group, None] + offset, top[group, None] + offset
        dx = (column - x[group]).astype(np.float32)
        dy = ((row - y[group]) / aspect[group]).astype(np.float32)
        dx *= dx
        dy *= dy
        left_over = np.subtract(square[group], dy, out=dy)
        # Outside the outline, and so made outside the canvas, the square root falls below the base: no height there.
        left_over[(row < 0) | (row >= canvas.height)] = -np.inf
        dx[(column < 0) | (column >= canvas.width)] = np.inf
        height = left_over[:, :, None] - dx[:, None, :]
        np.sqrt(np.maximum(height, 0, out=height), out=height)
        height -= base[group]
        inside = height > 0
        corner = (row[:, 0] * canvas.width + column[:, 0]).astype(np.int32)
        from_corner = np.add.outer((offset + k) * canvas.width, offset + k).astype(np.int32)
        places.append((corner[:, None, None] + from_corner)[inside])
        kept = height[inside]
        cubes.append(kept * kept * kept)
    total = np.bincount(np.concatenate(places), np.concatenate(cubes), canvas.width * canvas.height)
    return total.astype(np.float32).reshape(canvas.height, canvas.width)
