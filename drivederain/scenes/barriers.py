"""Long low things along the road in short pieces: hedges, garden walls, fences and guard rails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .camera import Camera
from .canvas import Canvas
from .colour import LEAVES, linear, varied
from .ground_light import GroundLight
from .illumination import Illumination
from .noise import look_up_grid, smooth_step, tile
from .parameters import SceneParameters
from .streams import Stage, Stream

_PIECE = 5.0


@dataclass(frozen=True)
class Barrier:
    """A piece from ``start`` to ``end``; ``kind`` is hedge, wall, fence or rail."""

    lateral: float
    start: float
    end: float
    height: float
    kind: str
    colour: Array


def place_barriers(parameters: SceneParameters) -> list[Barrier]:
    """Garden fronts in towns and avenues, guard rails in the country."""
    stream = Stream(parameters.seed, parameters.index, Stage.BARRIERS)
    pieces: list[Barrier] = []
    if parameters.setting == "city":
        return pieces
    for side in (-1, 1):
        if parameters.setting == "country":
            if not stream.chance(0.55):
                continue
            kind, height, lateral = "rail", 0.78, parameters.half_road + 1.0
            colour = linear((170, 174, 178))
        else:
            kind = stream.choice(("hedge", "wall", "fence", "none"))
            if kind == "none":
                continue
            height = {
                "hedge": stream.uniform(0.9, 1.8),
                "wall": stream.uniform(0.6, 1.4),
                "fence": stream.uniform(0.9, 1.3),
            }[kind]
            lateral = parameters.wall_line + 0.15
            walls = ((170, 160, 146), (150, 90, 72), (206, 200, 190))
            colours = {"hedge": LEAVES[:5], "wall": walls, "fence": ((220, 216, 206), (110, 84, 60), (50, 54, 56))}
            colour = varied(stream, colours[kind])
        s = 1.6 + stream.uniform(0.0, 4.0)
        while s < 130.0:
            if kind == "rail" or stream.chance(0.85):
                pieces.append(
                    Barrier(side * lateral, s, s + _PIECE - (0.0 if kind != "wall" else 0.05), height, kind, colour)
                )
            s += _PIECE
    return pieces


def shade_barrier(ground: GroundLight, barrier: Barrier) -> None:
    """The shadow of a piece, and the dark along its foot."""
    x = barrier.lateral
    outline = np.array(
        [[x - 0.1, barrier.start], [x + 0.1, barrier.start], [x + 0.1, barrier.end], [x - 0.1, barrier.end]]
    )
    ground.cast(outline, barrier.height, 0.4 if barrier.kind == "rail" else 0.0)
    if barrier.kind != "rail":
        ground.shade_under(outline, 0.5)


def draw_barrier(canvas: Canvas, camera: Camera, light: Illumination, ground: GroundLight, barrier: Barrier) -> None:
    """Draws one piece: its near end, then the side that faces the road."""
    side = 1 if barrier.lateral > 0 else -1
    near = max(barrier.start, camera.first_visible(barrier.lateral))
    if near >= barrier.end - 0.1:
        return
    middle = (near + barrier.end) / 2.0
    sunlit = ground.sunlit(barrier.lateral - side * 0.3, middle)
    received = light.shade((-side, 0.15, 0.0), camera.world(barrier.lateral, barrier.height * 0.6, middle), sunlit)
    scale = camera.focal / near
    if barrier.kind == "rail":
        _rail(canvas, camera, light, barrier, near, received)
        return
    rows = int(min(max(barrier.height * scale, 4), 220))
    columns = int(min(max((barrier.end - near) * scale * abs(barrier.lateral - camera.lateral) / near, 6), 400))
    along = (np.arange(columns, dtype=np.float32) + 0.5) / columns * (barrier.end - near)
    s = barrier.end - along if side > 0 else near + along
    y = barrier.height * (1.0 - (np.arange(rows, dtype=np.float32) + 0.5) / rows)
    clump = look_up_grid(tile(1.0, 11), s, y, 0.04)
    leaves = look_up_grid(tile(0.45, 12), s, y, 0.025)
    if barrier.kind == "hedge":
        tone = np.clip((0.55 + 0.5 * y / barrier.height)[:, None] * (1.0 + 0.28 * clump + 0.4 * leaves), 0.1, 2.2)
    elif barrier.kind == "wall":
        cap = np.where(y > barrier.height - 0.1, 1.25, 1.0)[:, None]
        tone = cap * (1.0 + 0.08 * clump + 0.05 * leaves) * (1.0 - 0.25 * ((y % 0.2) < 0.02))[:, None]
    else:
        slat = (s % 0.16 < 0.1)[None, :] | (
            (np.abs(y - barrier.height * 0.25) < 0.05) | (np.abs(y - barrier.height * 0.8) < 0.05)
        )[:, None]
        tone = np.where(slat, 1.0 + 0.1 * clump, 0.12)
    texture = (barrier.colour * received * tone[:, :, None]).astype(np.float32)
    texture = light.veil(texture, np.full(tone.shape, middle))
    ends = (barrier.end, near) if side > 0 else (near, barrier.end)
    corners = [
        camera.world(barrier.lateral, barrier.height, ends[0]),
        camera.world(barrier.lateral, barrier.height, ends[1]),
    ]
    corners += [camera.world(barrier.lateral, 0.0, ends[1]), camera.world(barrier.lateral, 0.0, ends[0])]
    deep = {"hedge": 0.8, "wall": 0.25, "fence": 0.06}[barrier.kind]
    x = barrier.lateral
    if near == barrier.start:
        outer = x + side * deep
        end = [camera.world(x, barrier.height, near), camera.world(outer, barrier.height, near)]
        end += [camera.world(outer, 0.0, near), camera.world(x, 0.0, near)]
        front = light.shade((0.0, 0.1, -1.0), camera.world(x, 0.6, near), sunlit)
        canvas.polygon(camera.project(np.array(end))[0], light.veil(barrier.colour * front * np.float32(0.7), near))
    canvas.textured(camera.project(np.array(corners))[0], texture)
    if barrier.kind == "hedge":
        _ragged_top(canvas, camera, light, barrier, near, received)


def _ragged_top(
    canvas: Canvas, camera: Camera, light: Illumination, barrier: Barrier, near: float, received: Array
) -> None:
    number = 24
    s = np.linspace(near, barrier.end, number)
    rise = 0.1 * smooth_step(-1.0, 2.0, tile(0.6, 13)[int(barrier.start) % 512, :number])
    top = [camera.world(barrier.lateral, barrier.height + float(r), float(at)) for at, r in zip(s, rise, strict=True)]
    low = [camera.world(barrier.lateral, barrier.height - 0.05, float(at)) for at in s[::-1]]
    colour = light.veil(barrier.colour * received * np.float32(1.15), (near + barrier.end) / 2.0)
    canvas.polygon(camera.project(np.array(top + low))[0], colour)


def _rail(canvas: Canvas, camera: Camera, light: Illumination, barrier: Barrier, near: float, received: Array) -> None:
    def strip(low: float, high: float, tone: float) -> None:
        corners = [camera.world(barrier.lateral, high, near), camera.world(barrier.lateral, high, barrier.end)]
        corners += [camera.world(barrier.lateral, low, barrier.end), camera.world(barrier.lateral, low, near)]
        seen = light.veil(barrier.colour * received * np.float32(tone), (near + barrier.end) / 2.0)
        canvas.polygon(camera.project(np.array(corners))[0], seen)

    if near == barrier.start:
        column, row, scale = camera.point(barrier.lateral, 0.0, near)
        half, tall = 0.06 * scale, 0.7 * scale
        post = np.array(
            [[column - half, row - tall], [column + half, row - tall], [column + half, row], [column - half, row]]
        )
        canvas.polygon(post, light.veil(barrier.colour * received * np.float32(0.5), near))
    strip(0.46, 0.54, 0.75)
    strip(0.54, 0.6, 1.1)
    strip(0.6, 0.68, 0.6)
    strip(0.68, 0.72, 1.15)
    strip(0.72, 0.78, 0.8)
