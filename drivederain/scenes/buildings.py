"""Rows of buildings along both sides of the street: where they stand, and how their boxes and roofs are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .arrays import Array
from .camera import NEAR, Camera
from .canvas import Canvas
from .colour import ROOFS, varied
from .facades import Facade, FacadeLight, FacadeStyle, draw_style
from .ground_light import Shadows
from .illumination import Illumination
from .noise import look_up_grid, tile
from .parameters import SceneParameters
from .streams import Stage, Stream

_DETAIL = 0.75  # texels a canvas pixel; the canvas has two pixels a picture's


@dataclass(frozen=True)
class Building:
    """A box from ``start`` to ``end`` along the road, its front ``lateral`` metres off the centre line on ``side``."""

    side: int
    start: float
    end: float
    lateral: float
    depth: float
    ground: float
    storey: float
    storeys: int
    roof: str
    roof_height: float
    roof_colour: Array
    style: FacadeStyle
    item: int
    hidden_below: float

    @property
    def height(self) -> float:
        """Height of the eaves in metres."""
        return self.ground + self.storey * self.storeys + 0.35


def place_buildings(parameters: SceneParameters) -> list[Building]:
    """Both rows of buildings, from behind the camera to where the haze or the bend hides them."""
    if parameters.setting == "country":
        return _farms(parameters)
    buildings: list[Building] = []
    for side in (-1, 1):
        stream = Stream(parameters.seed, parameters.index, Stage.BUILDINGS, 1 if side > 0 else 2)
        base_storeys = {"city": stream.integer(3, 6), "town": 1, "avenue": stream.integer(2, 5)}[parameters.setting]
        gap_chance = {"city": 0.1, "town": 0.72, "avenue": 0.4}[parameters.setting]
        front = {"city": 0.0, "town": stream.uniform(1.0, 5.0), "avenue": stream.uniform(2.0, 10.0)}[parameters.setting]
        if parameters.setting == "avenue" and stream.chance(0.3):
            continue
        s = -6.0 - stream.uniform(0.0, 8.0)
        reach = 210.0 if parameters.setting == "city" else 150.0
        while s < reach:
            item = len(buildings)
            width = stream.uniform(8.0, 20.0) if parameters.setting != "town" else stream.uniform(7.0, 12.0)
            storeys = max(
                1, base_storeys + stream.integer(-1, 1) + (stream.integer(3, 7) if stream.chance(0.08) else 0)
            )
            if parameters.setting == "town":
                storeys = stream.integer(0, 2)
            pitched = stream.chance({"city": 0.4, "town": 0.92, "avenue": 0.4}[parameters.setting]) and storeys < 6
            roof = stream.choice(("pitched", "gable")) if pitched and parameters.setting == "town" else "pitched"
            buildings.append(
                Building(
                    side=side,
                    start=s,
                    end=s + width,
                    lateral=parameters.wall_line + front + (stream.uniform(0.0, 1.5) if front else 0.0),
                    depth=stream.uniform(9.0, 14.0),
                    ground=stream.uniform(3.1, 4.2) if storeys else 2.9,
                    storey=stream.uniform(2.8, 3.5),
                    storeys=storeys,
                    roof=roof if pitched else "flat",
                    roof_height=stream.uniform(2.2, 4.5) if pitched else 0.0,
                    roof_colour=varied(stream, ROOFS),
                    style=draw_style(stream, item, parameters.setting != "town"),
                    item=item,
                    hidden_below=0.0,
                )
            )
            gap = stream.chance(gap_chance)
            wide = stream.uniform(7.0, 13.0) if parameters.setting != "town" else stream.uniform(2.5, 11.0)
            s += width + (wide if gap else 0.0)
    return [_joined(before, building) for before, building in zip([None, *buildings], buildings, strict=False)]


def _joined(before: Building | None, building: Building) -> Building:
    """The building with its near end hidden as far up as the building before it reaches, if they stand together."""
    if before is None or before.side != building.side or building.start - before.end > 0.1:
        return building
    hides = before.lateral <= building.lateral + 0.05 and before.roof != "gable"
    return replace(building, hidden_below=before.height) if hides else building


def _farms(parameters: SceneParameters) -> list[Building]:
    buildings = []
    stream = Stream(parameters.seed, parameters.index, Stage.BUILDINGS, 3)
    for item in range(stream.integer(0, 3)):
        side, s, width = stream.choice((-1, 1)), stream.uniform(35.0, 140.0), stream.uniform(9.0, 18.0)
        buildings.append(
            Building(
                side=side,
                start=s,
                end=s + width,
                lateral=parameters.wall_line + stream.uniform(7.0, 25.0),
                depth=stream.uniform(8.0, 12.0),
                ground=2.9,
                storey=2.8,
                storeys=stream.integer(0, 1),
                roof="pitched",
                roof_height=stream.uniform(2.5, 4.5),
                roof_colour=varied(stream, ROOFS),
                style=draw_style(stream, item, False),
                item=item,
                hidden_below=0.0,
            )
        )
    return buildings


class BuildingPainter:
    """Draws buildings on a canvas."""

    def __init__(
        self, canvas: Canvas, camera: Camera, light: Illumination, shadows: Shadows, parameters: SceneParameters
    ) -> None:
        self.canvas, self.camera, self.light, self.shadows = canvas, camera, light, shadows
        strength = {"day": 0.0, "dusk": 0.42, "night": 0.34}[parameters.time_of_day]
        reflection = light.skyline * 0.55 + light.zenith * 0.45
        self.facade_light = FacadeLight(light.lit_windows, strength, reflection.astype(np.float32))
        self.key = (parameters.seed, parameters.index)

    def draw(self, building: Building) -> None:
        """Draws the roof, the end that faces the camera and the front, in this order."""
        first = self.camera.first_visible(building.side * building.lateral)
        near = max(building.start, first)
        if near >= building.end - 0.2:
            return
        self._roof(building, near)
        if building.start > NEAR + 0.5:
            self._end(building)
        self._front(building, near)

    def _front(self, building: Building, near: float) -> None:
        camera, side = self.camera, building.side
        x = side * building.lateral
        scale = camera.focal / near
        away = abs(x - camera.lateral)
        top = min(building.height, camera.highest_visible(building.end))
        rows = int(min(max(top * scale * _DETAIL, 6), camera.height))
        shown = camera.focal * away * (1.0 / near - 1.0 / building.end)
        columns = int(min(max(shown * 1.6 * _DETAIL, 6), camera.width * 0.5))
        along = (np.arange(columns, dtype=np.float32) + 0.5) / columns * (building.end - near)
        s = building.end - along if side > 0 else near + along
        t = building.end - s if side > 0 else s - building.start
        y = top * (1.0 - (np.arange(rows, dtype=np.float32) + 0.5) / rows)
        angle = camera.heading((near + building.end) / 2.0)
        normal = (-side * math.cos(angle), 0.0, side * math.sin(angle))
        ends = (building.end, near) if side > 0 else (near, building.end)
        lateral = np.full_like(s, x)
        texture = self._face(building, building.end - building.start, t, y, lateral, s, normal, True)
        corners = [camera.world(x, h, ends[i]) for h, i in ((top, 0), (top, 1), (0, 1), (0, 0))]
        self.canvas.textured(camera.project(np.array(corners))[0], texture)

    def _end(self, building: Building) -> None:
        camera, side, s = self.camera, building.side, building.start
        inner, outer = side * building.lateral, side * (building.lateral + building.depth)
        low, high = camera.visible_span(s)
        start = min(inner, outer)
        left, right = max(start, low), min(max(inner, outer), high)
        top, bottom = min(building.height, camera.highest_visible(s)), building.hidden_below
        if left < right and bottom < top - 0.2:
            scale = camera.focal / s * _DETAIL
            rows = int(min(max((top - bottom) * scale, 6), camera.height))
            columns = int(min(max((right - left) * scale, 6), camera.width * 0.5))
            lateral = left + (np.arange(columns, dtype=np.float32) + 0.5) / columns * np.float32(right - left)
            y = top - (top - bottom) * (np.arange(rows, dtype=np.float32) + 0.5) / rows
            t = lateral - np.float32(start)
            texture = self._face(building, building.depth, t, y, lateral, np.full_like(t, s), (0.0, 0.0, -1.0), False)
            corners = [camera.world(left, top, s), camera.world(right, top, s)]
            corners += [camera.world(right, bottom, s), camera.world(left, bottom, s)]
            self.canvas.textured(camera.project(np.array(corners))[0], texture)
        if building.roof == "pitched":  # the triangle of the wall under a roof whose ridge runs along the street
            eaves = camera.world(inner, building.height, s)
            peak = [eaves, camera.world((inner + outer) / 2.0, building.height + building.roof_height, s)]
            peak += [camera.world(outer, building.height, s)]
            colour = building.style.wall * self.light.shade((0.0, 0.0, -1.0), eaves)
            self.canvas.polygon(camera.project(np.array(peak))[0], self.light.veil(colour * np.float32(0.95), s))

    def _face(
        self,
        building: Building,
        width: float,
        t: Array,
        y: Array,
        lateral: Array,
        s: Array,
        normal: tuple[float, float, float],
        front: bool,
    ) -> Array:
        key = (*self.key, building.item * 2 + int(front))
        face = Facade(building.style, width, building.height, building.ground, building.storey, t, y,
                      self.facade_light, key)  # fmt: skip
        face.paint(front)
        light = self.light
        coarse_rows, coarse_columns = min(12, y.size), min(24, t.size)
        pick_y = np.linspace(y[0], y[-1], coarse_rows)
        pick = np.linspace(0, t.size - 1, coarse_columns).astype(np.int64)
        points = np.empty((coarse_rows, coarse_columns, 3), dtype=np.float32)
        points[..., 0] = lateral[pick] + self.camera.bend(s[pick])
        points[..., 1] = pick_y[:, None]
        points[..., 2] = s[pick]
        local = light.local(points)
        around = light.ambient * np.float32(0.72) * (0.8 + 0.2 * np.clip(y / 5.0, 0.0, 1.0))[:, None, None]
        received = cv2.resize(local, (t.size, y.size), interpolation=cv2.INTER_LINEAR) + around
        facing = sum(n * float(v) for n, v in zip(normal, light.to_sun, strict=True))
        if facing > 0.0 and float(light.sun.max()) > 0.0:
            edge = self.shadows.height(lateral, s)
            sunlit = np.clip((y[:, None] - edge[None, :]) / 0.25 + 0.5, 0.0, 1.0)
            received = received + light.sun * (facing * sunlit)[:, :, None]
        radiance = face.albedo * received + face.glow
        part = np.exp(-light.haze_per_metre * s)[None, :, None]
        veiled: Array = light.haze + (radiance - light.haze) * part
        return veiled.astype(np.float32, copy=False)

    def _roof(self, building: Building, near: float) -> None:
        if building.roof == "flat":
            return
        camera, side = self.camera, building.side
        front, back = side * (building.lateral - 0.35), side * (building.lateral + building.depth / 2.0)
        eaves, ridge = building.height - 0.05, building.height + building.roof_height
        colour = building.roof_colour
        if building.roof == "gable":  # the ridge runs away from the street; the gable stands over the front
            middle = (building.start + building.end) / 2.0
            far_slope = [(front, eaves, building.end), (front, ridge, middle), (back * 1.3, ridge, middle),
                         (back * 1.3, eaves, building.end)]  # fmt: skip
            near_slope = [(front, eaves, building.start), (front, ridge, middle), (back * 1.3, ridge, middle),
                          (back * 1.3, eaves, building.start)]  # fmt: skip
            wall = [(side * building.lateral, eaves, building.start), (side * building.lateral, ridge, middle),
                    (side * building.lateral, eaves, building.end)]  # fmt: skip
            self._flat_face(far_slope, colour * np.float32(0.8), (0.0, 0.7, 0.7))
            self._flat_face(near_slope, colour, (0.0, 0.7, -0.7))
            self._flat_face(wall, building.style.wall, (-side, 0.0, 0.0))
            return
        start = max(building.start - 0.3, near if building.start < near else NEAR)
        end = building.end + 0.3
        rows, columns = 48, 96
        y = np.linspace(6.0, 0.0, rows, dtype=np.float32)
        t = np.linspace(0.0, end - start, columns, dtype=np.float32)
        tone = 1.0 + 0.1 * look_up_grid(tile(1.0, 5), t, y, 0.08) - 0.2 * ((y % 0.5) < 0.14)[:, None]
        normal = (-side * 0.5, 0.85, 0.0)
        light = self.light.shade(normal, camera.world(front, 6.0, (start + end) / 2.0))
        shade = colour * tone[:, :, None] * light
        ends = (end, start) if side > 0 else (start, end)
        corners = [camera.world(back, ridge, ends[0]), camera.world(back, ridge, ends[1])]
        corners += [camera.world(front, eaves, ends[1]), camera.world(front, eaves, ends[0])]
        texture = self.light.veil(shade.astype(np.float32), np.full(shade.shape[:2], (start + end) / 2.0))
        self.canvas.textured(camera.project(np.array(corners))[0], texture)

    def _flat_face(
        self, corners: list[tuple[float, float, float]], colour: Array, normal: tuple[float, float, float]
    ) -> None:
        if min(s for _, _, s in corners) < NEAR:
            return
        points = np.array([self.camera.world(*corner) for corner in corners])
        distance = float(points[:, 2].mean())
        shade = colour * self.light.shade(normal, (float(points[0, 0]), float(points[0, 1]), distance))
        self.canvas.polygon(self.camera.project(points)[0], self.light.veil(shade, distance))
