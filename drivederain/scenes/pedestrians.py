"""People on the pavement and on a crossing, as simple jointed figures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .camera import Camera
from .canvas import Canvas
from .colour import CLOTHES, linear, rgb, varied
from .ground_light import GroundLight
from .illumination import Illumination
from .parameters import SceneParameters
from .streams import Stage, Stream


@dataclass(frozen=True)
class Pedestrian:
    """A person at a road position; ``stride`` from -1 to 1 is the step's phase."""

    lateral: float
    s: float
    height: float
    stride: float
    coat: Array
    trousers: Array
    skin: Array
    hair: Array


def place_pedestrians(parameters: SceneParameters) -> list[Pedestrian]:
    """People on both pavements, and sometimes on the crossing."""
    stream = Stream(parameters.seed, parameters.index, Stage.PEDESTRIANS)
    most = {"city": 12, "town": 4, "avenue": 6, "country": 0}[parameters.setting]
    people: list[Pedestrian] = []

    def add(lateral: float, s: float) -> None:
        people.append(
            Pedestrian(
                lateral,
                s,
                stream.normal(1.7, 0.08) if stream.chance(0.9) else stream.uniform(1.1, 1.4),
                stream.uniform(-1.0, 1.0),
                varied(stream, CLOTHES),
                varied(stream, CLOTHES[:5]),
                linear(stream.choice(((226, 178, 150), (170, 116, 84), (108, 72, 52), (238, 196, 170)))),
                linear(stream.choice(((40, 30, 24), (20, 18, 18), (110, 80, 46), (150, 140, 130)))),
            )
        )

    for _ in range(stream.integer(0, most)):
        side = stream.choice((-1, 1))
        lateral = stream.uniform(
            parameters.inner_verge + 0.5, max(parameters.wall_line - 0.4, parameters.inner_verge + 0.6)
        )
        s = 5.0 + 60.0 * stream.unit() ** 1.5
        add(side * lateral, s)
        if stream.chance(0.3):
            add(side * (lateral + 0.55), s + 0.2)
    if parameters.crossing_distance is not None and stream.chance(0.4):
        for _ in range(stream.integer(1, 3)):
            lateral = stream.uniform(-parameters.half_road, parameters.half_road)
            add(lateral, parameters.crossing_distance + stream.uniform(-1.2, 1.2))
    return people


def shade_pedestrian(ground: GroundLight, person: Pedestrian) -> None:
    """The person's shadow and the dark between the feet."""
    square = np.array([[-0.2, -0.12], [0.2, -0.12], [0.2, 0.12], [-0.2, 0.12]]) + np.array((person.lateral, person.s))
    ground.cast(square, person.height)
    ground.shade_under(square, 0.6)


def draw_pedestrian(
    canvas: Canvas, camera: Camera, light: Illumination, ground: GroundLight, person: Pedestrian
) -> None:
    """Draws legs, coat, arms and head."""
    if person.s < 2.5:
        return
    column, row, scale = camera.point(person.lateral, 0.0, person.s)
    size = person.height * scale
    sunlit = ground.sunlit(person.lateral, person.s)
    shade = light.shade((0.0, 0.1, -1.0), camera.world(person.lateral, 0.9, person.s), sunlit)
    shade = (shade + light.sun * np.float32(0.2 * sunlit)).astype(np.float32)

    def at(x: float, y: float) -> tuple[float, float]:
        return (column + x * size, row - y * size)

    def fill(points: list[tuple[float, float]], colour: Array, tone: float = 1.0) -> None:
        corners = np.array([at(x, y) for x, y in points])
        seen = light.veil(colour * shade * np.float32(tone), person.s)
        canvas.shaded(corners, seen * np.float32(1.1), seen * np.float32(0.8))

    step = 0.09 * person.stride
    for foot, tone in ((-step - 0.03, 0.75), (step + 0.03, 1.0)):
        fill([(-0.065, 0.5), (0.065, 0.5), (foot + 0.035, 0.03), (foot - 0.035, 0.03)], person.trousers, tone)
        fill(
            [(foot - 0.045, 0.035), (foot + 0.055, 0.035), (foot + 0.055, 0.0), (foot - 0.045, 0.0)],
            rgb(0.02, 0.02, 0.02),
        )
    for hand, tone in ((-1.0, 0.7), (1.0, 0.9)):
        swing = hand * 0.135 - 0.5 * step * hand
        fill([(hand * 0.1, 0.81), (hand * 0.14, 0.79), (swing + 0.025, 0.47), (swing - 0.025, 0.47)], person.coat, tone)
        fill([(swing - 0.02, 0.47), (swing + 0.02, 0.47), (swing + 0.015, 0.43), (swing - 0.015, 0.43)], person.skin)
    fill([(-0.12, 0.81), (-0.04, 0.845), (0.04, 0.845), (0.12, 0.81), (0.1, 0.46), (-0.1, 0.46)], person.coat)
    ring = [(0.058 * math.cos(a), 0.925 + 0.068 * math.sin(a)) for a in np.linspace(0.0, 2.0 * np.pi, 15)[:-1]]
    fill(ring, person.skin)
    fill([(x * 1.06, y + 0.012) for x, y in ring if y > 0.925], person.hair)
