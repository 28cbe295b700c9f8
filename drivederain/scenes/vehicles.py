"""Vehicles: parked, ahead and oncoming, as extruded side profiles with glass, wheels, plates and lights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .camera import Camera
from .canvas import Canvas
from .colour import PAINTS, linear, rgb, varied
from .ground_light import GroundLight
from .illumination import Illumination, Point
from .parameters import SceneParameters
from .streams import Stage, Stream


@dataclass(frozen=True)
class Body:
    """A body's side view from the rear bumper over the roof to the front bumper: (z, y, inset) in metres, where the
    inset narrows the body on each side. ``glass`` are the panels (by their first point) that are windows; ``belt``
    is the height where the side windows begin; ``cabin`` the side windows' polygon (z, y)."""

    profile: tuple[Point, ...]
    glass: tuple[int, ...]
    belt: float
    cabin: tuple[tuple[float, float], ...]
    width: float
    wheel: float
    axles: tuple[float, ...]

    @property
    def length(self) -> float:
        """Length in metres."""
        return self.profile[-1][0]

    @property
    def roof(self) -> float:
        """Height in metres."""
        return max(y for _, y, _ in self.profile)


BODIES: dict[str, Body] = {
    "sedan": Body(
        ((0.0, 0.32, 0.06), (0.0, 0.62, 0.0), (0.08, 1.0, 0.04), (0.65, 1.06, 0.08), (1.45, 1.42, 0.24),
         (2.55, 1.45, 0.24), (3.3, 1.02, 0.1), (4.3, 0.84, 0.08), (4.5, 0.6, 0.04), (4.5, 0.32, 0.08)),
        (3, 5), 1.0, ((0.85, 1.03), (1.5, 1.38), (2.55, 1.4), (3.15, 1.03)), 1.8, 0.32, (0.85, 3.65)),
    "hatch": Body(
        ((0.0, 0.32, 0.06), (0.0, 0.68, 0.0), (0.1, 0.98, 0.05), (0.5, 1.44, 0.22), (2.2, 1.5, 0.22),
         (2.95, 1.04, 0.1), (3.8, 0.88, 0.08), (4.0, 0.62, 0.04), (4.0, 0.32, 0.08)),
        (2, 4), 0.98, ((0.45, 1.0), (0.7, 1.4), (2.2, 1.45), (2.85, 1.02)), 1.75, 0.31, (0.65, 3.2)),
    "suv": Body(
        ((0.0, 0.4, 0.05), (0.0, 0.8, 0.0), (0.06, 1.12, 0.03), (0.35, 1.66, 0.18), (2.6, 1.72, 0.18),
         (3.3, 1.2, 0.08), (4.3, 1.05, 0.05), (4.6, 0.75, 0.03), (4.6, 0.4, 0.06)),
        (2, 4), 1.12, ((0.35, 1.15), (0.55, 1.6), (2.6, 1.66), (3.2, 1.17)), 1.9, 0.37, (0.85, 3.75)),
    "van": Body(
        ((0.0, 0.42, 0.04), (0.0, 1.2, 0.0), (0.0, 1.22, 0.02), (0.05, 1.85, 0.08), (0.12, 2.05, 0.1),
         (3.8, 2.1, 0.1), (4.5, 1.25, 0.06), (5.1, 1.05, 0.05), (5.2, 0.7, 0.02), (5.2, 0.42, 0.05)),
        (2, 5), 1.2, ((3.0, 1.25), (3.0, 1.8), (3.75, 1.85), (4.35, 1.25)), 1.95, 0.34, (1.0, 4.3)),
    "truck": Body(
        ((0.0, 0.95, 0.0), (0.0, 1.0, 0.0), (0.0, 3.1, 0.0), (5.2, 3.1, 0.0), (5.25, 2.6, 0.05), (6.4, 2.5, 0.1),
         (6.8, 1.6, 0.05), (6.9, 1.5, 0.05), (6.9, 0.5, 0.08)),
        (5,), 1.7, ((5.6, 1.65), (5.6, 2.35), (6.3, 2.35), (6.65, 1.65)), 2.3, 0.46, (1.1, 5.9)),
    "bus": Body(
        ((0.0, 0.38, 0.03), (0.0, 1.35, 0.0), (0.02, 1.4, 0.0), (0.05, 2.6, 0.05), (0.12, 2.95, 0.1),
         (10.6, 2.95, 0.1), (10.7, 2.6, 0.06), (10.9, 1.1, 0.0), (11.0, 1.0, 0.0), (11.0, 0.38, 0.03)),
        (2, 6), 1.3, ((0.4, 1.35), (0.4, 2.45), (10.5, 2.45), (10.5, 1.35)), 2.5, 0.48, (2.6, 8.2)),
}  # fmt: skip
_TAIL, _HEAD = linear((200, 12, 10)), linear((236, 236, 226))
_DARK = rgb(0.012, 0.012, 0.013)


@dataclass(frozen=True)
class Vehicle:
    """A vehicle whose nearest end is at distance ``s``; ``oncoming`` shows its front."""

    lateral: float
    s: float
    body: str
    paint: Array
    oncoming: bool
    parked: bool
    braking: bool
    item: int


def place_vehicles(parameters: SceneParameters) -> list[Vehicle]:
    """Traffic in every lane, and rows of parked cars where there is a parking lane."""
    stream = Stream(parameters.seed, parameters.index, Stage.VEHICLES)
    vehicles: list[Vehicle] = []
    kinds = (("sedan", 0.3), ("hatch", 0.32), ("suv", 0.22), ("van", 0.09), ("truck", 0.04), ("bus", 0.03))
    side, inner = parameters.side, parameters.lanes * parameters.lane_width / 2.0

    def add(lateral: float, s: float, kind: str, oncoming: bool, parked: bool) -> None:
        vehicles.append(
            Vehicle(lateral, s, kind, varied(stream, PAINTS, 0.1), oncoming, parked, stream.chance(0.3), len(vehicles))
        )

    density = stream.uniform(10.0, 45.0)
    for lane in range(parameters.lanes):
        lateral = side * (-inner + (lane + 0.5) * parameters.lane_width)
        oncoming = not parameters.one_way and lane * 2 < parameters.lanes
        own = abs(lateral - parameters.camera_lateral) < 1.2
        s = stream.uniform(7.0, 26.0) if own else stream.uniform(3.0, 30.0)
        if stream.chance(0.3):
            s += stream.uniform(10.0, 40.0)
        while s < 120.0:
            kind = stream.weighted(kinds)
            if own and kind in ("truck", "bus") and s < 16.0:
                kind = "sedan"
            add(lateral + stream.uniform(-0.25, 0.25), s, kind, oncoming, False)
            s += BODIES[kind].length + 3.0 + density * stream.uniform(0.2, 1.6)
    if parameters.parking_lane:
        for at in (-1, 1):
            if not stream.chance(0.85):
                continue
            s, fullness = stream.uniform(-3.0, 5.0), stream.uniform(0.5, 1.0)
            while s < 90.0:
                kind = stream.weighted(kinds[:4])
                if stream.chance(fullness) and _clear(parameters, s, BODIES[kind].length):
                    backwards = at != side and not parameters.one_way
                    add(at * (parameters.half_road - 1.12), s, kind, backwards, True)
                s += BODIES[kind].length + stream.uniform(0.7, 1.6)
    return vehicles


def _clear(parameters: SceneParameters, s: float, length: float) -> bool:
    crossing = parameters.crossing_distance
    return crossing is None or s + length < crossing - 4.0 or s > crossing + 3.0


def shade_vehicle(ground: GroundLight, light: Illumination, vehicle: Vehicle, lit: bool) -> None:
    """The vehicle's shadow, the dark under it, and the light that its own lamps throw on the road."""
    body = BODIES[vehicle.body]
    half, long = body.width / 2.0, body.length
    outline = np.array([[-half, 0.0], [half, 0.0], [half, long], [-half, long]]) + np.array(
        (vehicle.lateral, vehicle.s)
    )
    ground.cast(outline, body.roof * 0.85, 0.2)
    ground.shade_under(outline, 0.85)
    if not lit or vehicle.parked:
        return
    strength = float(light.headlight.max())
    if vehicle.oncoming:
        ground.pool(vehicle.lateral, vehicle.s - 6.0, 1.6, 5.0, light.headlight * np.float32(0.7))
    else:
        ground.pool(vehicle.lateral, vehicle.s - 1.2, 1.3, 1.8, _TAIL * np.float32(0.25 * strength))
        ground.pool(vehicle.lateral, vehicle.s + long + 8.0, 2.0, 6.0, light.headlight * np.float32(0.7))


class VehiclePainter:
    """Draws vehicles on a canvas."""

    def __init__(
        self, canvas: Canvas, camera: Camera, light: Illumination, ground: GroundLight, key: tuple[int, int]
    ) -> None:
        self.canvas, self.camera, self.light, self.ground, self.key = canvas, camera, light, ground, key

    def draw(self, vehicle: Vehicle) -> None:
        """Draws one vehicle, far panels first."""
        if vehicle.s < 1.6:
            return
        body = BODIES[vehicle.body]
        placed = _Placed(self.camera, vehicle, body)
        point = self.camera.world(vehicle.lateral, body.roof * 0.5, vehicle.s)
        sunlit = self.ground.sunlit(vehicle.lateral, vehicle.s + body.length / 2.0)
        self._wheels_behind(placed, body, point)
        self._panels(placed, body, vehicle, point, sunlit)
        self._end(placed, body, vehicle, point, sunlit)

    def _panels(self, placed: _Placed, body: Body, vehicle: Vehicle, point: Point, sunlit: float) -> None:
        faces: list[tuple[float, int]] = []
        for number in range(len(body.profile) - 1):
            middle = (body.profile[number][0] + body.profile[number + 1][0]) / 2.0
            faces.append((placed.depth(middle), number))
        for depth, number in sorted(faces, reverse=True):
            (z0, y0, inset0), (z1, y1, inset1) = body.profile[number], body.profile[number + 1]
            normal = placed.normal(z1 - z0, y1 - y0)
            if not placed.faces(normal, (z0 + z1) / 2.0, (y0 + y1) / 2.0):
                continue
            half0, half1 = body.width / 2.0 - inset0, body.width / 2.0 - inset1
            corners = placed.project([(-half0, y0, z0), (half0, y0, z0), (half1, y1, z1), (-half1, y1, z1)])
            self._fill(corners, number in body.glass, vehicle.paint, normal, point, sunlit, depth)
            if number in body.glass:
                self._glass_frame(placed, body, number, vehicle, normal, point, sunlit, depth)
        self._side(placed, body, vehicle, point, sunlit)

    def _fill(
        self,
        corners: Array,
        glass: bool,
        paint: Array,
        normal: Point,
        point: Point,
        sunlit: float,
        depth: float,
    ) -> None:
        light = self.light.shade(normal, point, sunlit)
        upward = max(normal[1], 0.0)
        sky = self.light.skyline * 0.6 + self.light.zenith * 0.4
        if glass:
            top = sky * np.float32(0.06 + 0.13 * upward) + light * np.float32(0.015)
            bottom = sky * np.float32(0.012 + 0.05 * upward) + light * np.float32(0.01)
        else:
            top = paint * light * np.float32(1.06) + sky * np.float32(0.05 + 0.22 * upward)
            bottom = paint * light * np.float32(0.72 + 0.2 * upward) + sky * np.float32(0.01 + 0.12 * upward)
        self.canvas.shaded(corners, self.light.veil(top, depth), self.light.veil(bottom, depth))

    def _glass_frame(
        self,
        placed: _Placed,
        body: Body,
        number: int,
        vehicle: Vehicle,
        normal: Point,
        point: Point,
        sunlit: float,
        depth: float,
    ) -> None:
        """The pillars and the roof's edge round a window: the panel in paint, the pane set into it."""
        (z0, y0, inset0), (z1, y1, inset1) = body.profile[number], body.profile[number + 1]
        half0, half1 = body.width / 2.0 - inset0, body.width / 2.0 - inset1

        def at(across: float, part: float) -> Point:
            half = half0 + (half1 - half0) * part
            return (across * half, y0 + (y1 - y0) * part, z0 + (z1 - z0) * part)

        whole = placed.project([at(-1, 0), at(1, 0), at(1, 1), at(-1, 1)])
        self._fill(whole, False, vehicle.paint, normal, point, sunlit, depth)
        pane = placed.project([at(-0.9, 0.1), at(0.9, 0.1), at(0.87, 0.9), at(-0.87, 0.9)])
        self._fill(pane, True, vehicle.paint, normal, point, sunlit, depth)
        light = self.light.shade((0.0, 0.3, -1.0), point, sunlit * 0.3)
        seat = self.light.veil(light * np.float32(0.016) + self.light.skyline * np.float32(0.02), depth)
        for across in (-0.46, 0.46):  # head rests
            rest = placed.project([at(across - 0.14, 0.12), at(across + 0.14, 0.12), at(across + 0.12, 0.5),
                                   at(across - 0.12, 0.5)])  # fmt: skip
            self.canvas.polygon(rest, seat)

    def _side(self, placed: _Placed, body: Body, vehicle: Vehicle, point: Point, sunlit: float) -> None:
        for hand in (-1.0, 1.0):
            normal = placed.turn((hand, 0.0, 0.0))
            x = hand * body.width / 2.0
            if not placed.faces(normal, body.length / 2.0, 0.6, x):
                continue
            depth = placed.depth(body.length / 2.0)
            light = self.light.shade(normal, point, sunlit)
            paint = vehicle.paint
            sky = self.light.skyline
            outline = [(hand * (body.width / 2.0 - inset), y, z) for z, y, inset in body.profile]
            top, bottom = paint * light + sky * np.float32(0.06), paint * light * np.float32(0.6)
            self.canvas.shaded(placed.project(outline), self.light.veil(top, depth), self.light.veil(bottom, depth))
            inset = max(i for _, _, i in body.profile)

            def lean(y: float, hand: float = hand, inset: float = inset) -> float:
                part = (y - body.belt) / max(body.roof - body.belt, 0.1)
                return hand * (body.width / 2.0 - inset * min(max(part, 0.0), 1.0) + 0.01)

            windows = placed.project([(lean(y), y, z) for z, y in body.cabin])
            glass = sky * np.float32(0.16) + light * np.float32(0.015)
            self.canvas.shaded(windows, self.light.veil(glass, depth), self.light.veil(glass * np.float32(0.35), depth))
            low, high = body.cabin[0][0], body.cabin[-1][0]
            pillars = 1 if vehicle.body != "bus" else 6
            for number in range(1, pillars + 1):
                z = low + (high - low) * number / (pillars + 1.0)
                foot, head, roof = lean(body.belt), lean(body.roof), body.roof - 0.06
                bar = [(foot, body.belt, z - 0.05), (foot, body.belt, z + 0.05)]
                bar += [(head, roof, z + 0.05), (head, roof, z - 0.05)]
                self.canvas.polygon(placed.project(bar), self.light.veil(paint * light * np.float32(0.8), depth))
            for axle in body.axles:
                self._wheel(placed, body, hand, axle, light, depth)

    def _wheel(self, placed: _Placed, body: Body, hand: float, axle: float, light: Array, depth: float) -> None:
        turn = np.linspace(0.0, 2.0 * np.pi, 21)[:-1]
        x = hand * (body.width / 2.0 + 0.01)
        for radius, colour in (
            (body.wheel * 1.18, _DARK * np.float32(0.6)),
            (body.wheel, _DARK * np.float32(1.6)),
            (body.wheel * 0.64, rgb(0.3, 0.3, 0.31)),
            (body.wheel * 0.2, rgb(0.06, 0.06, 0.06)),
        ):
            ring = [(x, body.wheel + radius * math.sin(a), axle + radius * math.cos(a)) for a in turn]
            self.canvas.polygon(placed.project(ring), self.light.veil(colour * light, depth))

    def _wheels_behind(self, placed: _Placed, body: Body, point: Point) -> None:
        """The underside and the tyres as seen from the end, below the bumper."""
        depth = placed.depth(0.0)
        light = self.light.shade((0.0, 0.0, -1.0), point, 0.2)
        half = body.width / 2.0
        low = body.profile[0][1] + 0.05
        for z in sorted((body.axles[0] - body.wheel, body.axles[-1] + body.wheel), key=placed.depth, reverse=True):
            under = placed.project(
                [(-half + 0.1, 0.16, z), (half - 0.1, 0.16, z), (half - 0.1, low, z), (-half + 0.1, low, z)]
            )
            self.canvas.polygon(under, self.light.veil(_DARK * light * np.float32(0.5), depth))
            for hand in (-1.0, 1.0):
                outer, inner = hand * (half - 0.02), hand * (half - 0.24)
                tyre = placed.project([(outer, 0.0, z), (inner, 0.0, z), (inner, low, z), (outer, low, z)])
                self.canvas.polygon(tyre, self.light.veil(_DARK * light * np.float32(1.3), depth))

    def _end(self, placed: _Placed, body: Body, vehicle: Vehicle, point: Point, sunlit: float) -> None:
        """Bumper, plate, lights and grille on the end that faces the camera."""
        rear = not vehicle.oncoming
        stream = Stream(self.key[0], self.key[1], Stage.VEHICLES, 100 + vehicle.item)
        z = -0.01 if rear else body.length + 0.01
        depth = placed.depth(z)
        normal = placed.turn((0.0, 0.0, -1.0 if rear else 1.0))
        if not placed.faces(normal, z, 0.6):
            return
        light = self.light.shade(normal, point, sunlit)
        half = body.width / 2.0
        low = body.profile[0 if rear else -1][1]
        shoulder = body.profile[1 if rear else -2][1]

        def box(left: float, right: float, bottom: float, top: float, colour: Array) -> None:
            corners = placed.project([(left, bottom, z), (right, bottom, z), (right, top, z), (left, top, z)])
            self.canvas.polygon(corners, self.light.veil(colour, depth))

        black = stream.chance(0.5)
        bumper = vehicle.paint * np.float32(0.82) if not black else rgb(0.03, 0.03, 0.032)
        box(-half + 0.07, half - 0.07, low, low + 0.16, bumper * light * np.float32(0.75))
        box(-half + 0.03, half - 0.03, low + 0.16, low + 0.2, vehicle.paint * light * np.float32(0.45))
        if rear and body.roof > 1.8:
            line = np.float32(0.4) * vehicle.paint * light
            box(-0.02, 0.02, low + 0.25, body.roof * 0.94, line)
        plate_y = low + (0.26 if rear else 0.05)
        plate = linear(stream.choice(((236, 236, 230), (236, 200, 60), (236, 236, 236))))
        shine = np.float32(0.12) if self.light.lights_on and not vehicle.parked and rear else np.float32(0.0)
        box(-0.27, 0.27, plate_y - 0.01, plate_y + 0.13, _DARK * light)
        box(-0.25, 0.25, plate_y + 0.005, plate_y + 0.115, plate * (light + shine))
        for number in range(6):
            if stream.chance(0.85):
                left = -0.2 + number * 0.07
                box(left, left + 0.035, plate_y + 0.03, plate_y + 0.09, _DARK * (light + shine))
        on = self.light.lights_on and not vehicle.parked
        wide, high = stream.uniform(0.14, 0.34), stream.uniform(0.1, 0.22)
        top = shoulder + (0.16 if rear else 0.02)
        if vehicle.body in ("truck", "bus", "van"):
            top = low + 0.55
        for hand in (-1.0, 1.0):
            outer, inner = hand * (half - 0.05), hand * (half - 0.05 - wide)
            if rear:
                glow = _TAIL * np.float32((2.4 if vehicle.braking else 0.7) if on else (1.0 if vehicle.braking and
                                          not vehicle.parked else 0.0))  # fmt: skip
                box(min(outer, inner), max(outer, inner), top - high, top, _TAIL * np.float32(0.5) * light + glow)
                middle = (outer + inner) / 2.0
                box(
                    middle - 0.04,
                    middle + 0.04,
                    top - high * 0.4,
                    top - high * 0.15,
                    rgb(0.5, 0.3, 0.25) * light + glow,
                )
            else:
                box(min(outer, inner), max(outer, inner), top - high, top, _HEAD * np.float32(0.55) * light)
                if on:
                    middle = (outer + inner) / 2.0
                    bright = self.light.headlight / np.float32(max(float(self.light.headlight.max()), 1e-6))
                    box(middle - 0.08, middle + 0.08, top - high, top, bright * np.float32(9.0))
        if not rear and vehicle.body != "truck":
            grille = low + 0.18
            box(-half * 0.5, half * 0.5, grille, max(grille + 0.1, top - high * 0.8), _DARK * light * np.float32(1.5))
        if rear and vehicle.braking and not vehicle.parked and vehicle.body in ("hatch", "suv"):
            box(-0.2, 0.2, body.belt + 0.02, body.belt + 0.05, _TAIL * np.float32(1.5))


class _Placed:
    """A body's own frame (x to its side, y up, z from the profile) put on the road."""

    def __init__(self, camera: Camera, vehicle: Vehicle, body: Body) -> None:
        self._camera = camera
        self._length = body.length
        self._flip = vehicle.oncoming
        heading = camera.heading(vehicle.s + body.length / 2.0)
        self._cos, self._sin = math.cos(heading), math.sin(heading)
        self._x, _, self._z = camera.world(vehicle.lateral, 0.0, vehicle.s)

    def _world(self, point: Point) -> Point:
        x, y, z = point
        along = self._length - z if self._flip else z
        return (self._x + x * self._cos + along * self._sin, y, self._z + along * self._cos - x * self._sin)

    def project(self, points: list[Point]) -> Array:
        """Points of the body's frame as pixels (n x 2)."""
        return self._camera.project(np.array([self._world(point) for point in points]))[0]

    def depth(self, z: float) -> float:
        """Distance of a place along the body from the camera."""
        return self._world((0.0, 0.0, z))[2]

    def turn(self, direction: Point) -> Point:
        """A direction of the body's frame in the world."""
        x, y, z = direction
        z = -z if self._flip else z
        return (x * self._cos + z * self._sin, y, z * self._cos - x * self._sin)

    def normal(self, dz: float, dy: float) -> Point:
        """The outward normal of a panel that goes by (dz, dy) along the profile."""
        size = math.hypot(dz, dy) or 1.0
        return self.turn((0.0, dz / size, -dy / size))

    def faces(self, normal: Point, z: float, y: float, x: float = 0.0) -> bool:
        """Whether a face with a world normal at (x, y, z) of the frame shows to the camera."""
        point = self._world((x, y, z))
        eye = (self._camera.lateral, self._camera.camera_height, 0.0)
        return sum(n * (e - p) for n, e, p in zip(normal, eye, point, strict=True)) > 0.0
