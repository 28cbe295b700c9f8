"""Draws a scene: lays it out, lights it, paints it from far to near, exposes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np

from drivederain.errors import OptionError

from .arrays import Array
from .barriers import draw_barrier, place_barriers, shade_barrier
from .buildings import BuildingPainter, place_buildings
from .camera import Camera
from .canvas import Canvas
from .furniture import PostPainter, place_posts, shade_post
from .ground_light import GroundLight, Shadows
from .illumination import illumination
from .parameters import TIMES_OF_DAY, SceneParameters, draw_parameters
from .pedestrians import draw_pedestrian, place_pedestrians, shade_pedestrian
from .road import draw_ground
from .sensor import expose
from .sky import draw_sky
from .trees import draw_tree, place_trees, shade_tree
from .vehicles import VehiclePainter, place_vehicles, shade_vehicle

MIN_SIDE = 16
MAX_HEIGHT, MAX_WIDTH = 1080, 1920
SUPERSAMPLING = 2


@dataclass(frozen=True)
class Scene:
    """``image`` is height x width x 3, uint8, RGB in sRGB; ``parameters`` says what it shows."""

    image: Array
    parameters: SceneParameters


def draw_scene(
    *,
    seed: int,
    index: int,
    height: int = 360,
    width: int = 640,
    time_of_day: Literal["day", "dusk", "night"] | None = None,
) -> Scene:
    """Draws street scene ``index`` of a seed, as a dash camera would see it.

    The same arguments give the same bytes. Another size of the same aspect ratio shows the same street. With
    ``time_of_day`` None the time is drawn (day 50 %, dusk 22 %, night 28 %); given, it changes the light only.

    Args:
        seed: whole number, 0 or more.
        index: whole number, 0 or more; which scene of the seed.
        height: 16 to 1080 pixels.
        width: 16 to 1920 pixels.
        time_of_day: "day", "dusk", "night" or None.

    Raises:
        OptionError: a number out of its range, or an unknown time of day.
    """
    _check(seed, index, height, width, time_of_day)
    parameters = draw_parameters(seed, index, height, width, time_of_day)
    camera = Camera(
        height=height * SUPERSAMPLING,
        width=width * SUPERSAMPLING,
        fov_deg=parameters.fov,
        horizon=parameters.horizon,
        camera_height=parameters.camera_height,
        lateral=parameters.camera_lateral,
        yaw_deg=parameters.yaw,
        roll_deg=parameters.roll,
        curvature=parameters.curvature,
    )
    buildings, trees, vehicles = place_buildings(parameters), place_trees(parameters), place_vehicles(parameters)
    posts, people, barriers = place_posts(parameters), place_pedestrians(parameters), place_barriers(parameters)
    parameters = replace(
        parameters,
        facades=len(buildings),
        trees=len(trees),
        vehicles=len(vehicles),
        lamps=sum(post.kind == "lamp" for post in posts),
        signs=sum(post.kind == "sign" for post in posts),
        traffic_lights=sum(post.kind == "light" for post in posts),
        pedestrians=len(people),
    )
    heads = [post.lamp_head(camera) for post in posts if post.kind == "lamp"]
    light = illumination(parameters, np.array(heads, dtype=np.float32).reshape(-1, 3))
    shadows = Shadows(buildings, light.to_sun, parameters.wall_line)
    ground = GroundLight(light, shadows, parameters.curvature)
    for tree in trees:
        shade_tree(ground, tree)
    for post in posts:
        shade_post(ground, post)
    for barrier in barriers:
        shade_barrier(ground, barrier)
    for person in people:
        shade_pedestrian(ground, person)
    ground.soften()
    for vehicle in vehicles:
        shade_vehicle(ground, light, vehicle, light.lights_on)

    canvas = Canvas(camera.height, camera.width)
    key = (seed, index)
    draw_sky(canvas, camera, light, parameters)
    draw_ground(canvas, camera, light, ground, parameters)
    masons = BuildingPainter(canvas, camera, light, shadows, parameters)
    garage = VehiclePainter(canvas, camera, light, ground, key)
    smiths = PostPainter(canvas, camera, light, ground)
    # Far to near. A long thing beside the road comes at its far end, for whatever stands before it hides it.
    strokes: list[tuple[float, Callable[[], None]]] = []
    strokes += [(building.end, partial(masons.draw, building)) for building in buildings]
    strokes += [(tree.s, partial(draw_tree, canvas, camera, light, ground, tree, key)) for tree in trees]
    strokes += [(vehicle.s, partial(garage.draw, vehicle)) for vehicle in vehicles]
    strokes += [(post.s, partial(smiths.draw, post)) for post in posts]
    poles = [post for post in posts if post.kind == "pole"]
    strokes += [(near.s + 2.0, partial(smiths.wires, near, far)) for near, far in pairwise(poles)]
    strokes += [(person.s, partial(draw_pedestrian, canvas, camera, light, ground, person)) for person in people]
    strokes += [(barrier.end, partial(draw_barrier, canvas, camera, light, ground, barrier)) for barrier in barriers]
    for _, stroke in sorted(strokes, key=lambda entry: -entry[0]):
        stroke()
    return Scene(expose(canvas.light, parameters), parameters)


def _check(seed: int, index: int, height: int, width: int, time_of_day: str | None) -> None:
    if seed < 0 or index < 0:
        raise OptionError(f"seed and index of a drawn scene must be 0 or more, not {seed} and {index}")
    if not (MIN_SIDE <= height <= MAX_HEIGHT and MIN_SIDE <= width <= MAX_WIDTH):
        raise OptionError(
            f"a drawn scene of {width} x {height} pixels cannot be made; "
            f"choose a width of {MIN_SIDE} to {MAX_WIDTH} and a height of {MIN_SIDE} to {MAX_HEIGHT}"
        )
    if time_of_day is not None and time_of_day not in TIMES_OF_DAY:
        raise OptionError(f"unknown time of day {time_of_day!r}; choose one of {', '.join(TIMES_OF_DAY)}")
