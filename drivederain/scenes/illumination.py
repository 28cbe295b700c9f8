"""The light of a scene: sun, sky, street lamps and the camera car's own headlights, in linear relative units."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .colour import Srgb, linear
from .parameters import SceneParameters
from .streams import Stage, Stream

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Illumination:
    """``sun``, ``ambient``, ``haze``, ``lamp`` and ``headlight`` are linear RGB (3); ``to_sun`` is a unit vector.

    ``lamp_heads`` (n x 3) are the world points of street lamps that are lit, none by day.
    """

    to_sun: Array
    sun: Array
    ambient: Array
    zenith: Array
    skyline: Array
    haze: Array
    haze_per_metre: float
    lamp: Array
    lamp_heads: Array
    headlight: Array
    headlight_at: Point
    lights_on: bool
    lit_windows: float

    def veil(self, colour: Array, distance: Array | float) -> Array:
        """A colour (... x 3) seen through the haze of a distance (...) in metres."""
        part = np.exp(-self.haze_per_metre * np.asarray(distance, dtype=np.float32))[..., None]
        result: Array = self.haze + (colour - self.haze) * part
        return result.astype(np.float32, copy=False)

    def local(self, points: Array) -> Array:
        """Light of lamps and headlights on whatever stands at world points (... x 3), as ... x 3."""
        flat = points.reshape(-1, 3).astype(np.float32)
        total = np.zeros_like(flat)
        if self.lamp_heads.size:
            offset = flat[:, None, :] - self.lamp_heads[None, :, :]
            square = (offset * offset).sum(axis=2)
            below = np.clip(0.25 - offset[:, :, 1] / 6.0, 0.0, 1.0)  # the hood keeps the light below the lamp
            total += self.lamp * (below / (1.0 + square / 30.0) ** 1.5).sum(axis=1)[:, None]
        if self.lights_on:
            total += self.headlight * self.beam(flat)[:, None]
        return total.reshape(points.shape)

    def beam(self, points: Array) -> Array:
        """The part of the headlights' light that reaches world points (n x 3): two low beams, cut off above."""
        x, y, z = (points[:, i] - np.float32(self.headlight_at[i]) for i in range(3))
        forward = np.maximum(z, 0.5)
        across = x / forward
        high = y / forward
        cone = np.exp(-((across / 0.34) ** 2)) + 0.8 * np.exp(-(((across - 0.05) / 0.12) ** 2))
        cut = 1.0 / (1.0 + np.exp(np.clip((high - 0.02) / 0.016, -30.0, 30.0)))
        start = np.clip((z - 2.0) / 4.0, 0.0, 1.0)
        result: Array = cone * (0.1 + 0.9 * cut) * start / (1.0 + (forward / 16.0) ** 2)
        return result

    def shade(self, normal: Point, point: Point, sunlit: float = 1.0) -> Array:
        """The light (3) on a face of a normal at a world point; multiply it by the face's colour."""
        facing = max(0.0, sum(n * float(t) for n, t in zip(normal, self.to_sun, strict=True)))
        light = self.ambient * (0.72 + 0.28 * normal[1]) + self.sun * (facing * sunlit)
        return (light + self.local(np.array(point, dtype=np.float32))).astype(np.float32)


def _mix(first: Array, second: Array, part: float) -> Array:
    return (first + (second - first) * part).astype(np.float32)


def illumination(parameters: SceneParameters, lamp_heads: Array) -> Illumination:
    """The light at the time of day, with the sky and the sun of the parameters; ``lamp_heads`` are n x 3."""
    stream = Stream(parameters.seed, parameters.index, Stage.SKY)
    azimuth, elevation = math.radians(parameters.sun_azimuth), math.radians(parameters.sun_elevation)
    to_sun = np.array(
        [math.sin(azimuth) * math.cos(elevation), math.sin(elevation), math.cos(azimuth) * math.cos(elevation)]
    )
    through = min(1.0, max(0.0, (0.92 - parameters.cloud_cover) / 0.6))
    tint = stream.uniform(-1.0, 1.0)
    lamp_srgb: Srgb = stream.choice(((255, 190, 110), (255, 176, 88), (255, 222, 180), (244, 240, 232)))
    night_glow: Srgb = stream.choice(((92, 70, 58), (64, 60, 72), (100, 76, 50)))
    headlight_srgb: Srgb = stream.choice(((255, 238, 214), (240, 245, 255), (255, 226, 180)))
    cloud = parameters.cloud_cover
    lights_on = parameters.time_of_day != "day"
    if parameters.time_of_day == "day":
        low = math.exp(-max(parameters.sun_elevation - 8.0, 0.0) / 16.0)
        sun = np.array([1.0, 0.93 - 0.16 * low, 0.82 - 0.34 * low]) * (2.1 * through)
        zenith = _mix(linear((74 + int(20 * tint), 126, 206)) * 1.1, linear((176, 182, 190)) * 0.95, cloud)
        skyline = _mix(linear((196, 216, 236)) * 1.15, linear((214, 216, 218)) * 1.1, cloud)
        ambient = _mix(np.array([0.34, 0.4, 0.5]), np.array([0.78, 0.8, 0.83]), cloud)
        lamp_power, head_power, lit = 0.0, 0.0, 0.0
    elif parameters.time_of_day == "dusk":
        warm = 0.5 + 0.5 * tint
        sun = np.array([1.0, 0.55, 0.28]) * (0.3 * through * min(1.0, max(0.0, (parameters.sun_elevation + 1.0) / 4.0)))
        zenith = _mix(linear((52, 70, 122)), linear((82, 86, 104)), cloud)
        skyline = _mix(linear((238, 164 + int(24 * warm), 112 + int(40 * warm))), linear((150, 142, 148)), cloud * 0.85)
        ambient = _mix(np.array([0.15, 0.155, 0.21]), np.array([0.17, 0.175, 0.2]), cloud)
        lamp_power, head_power, lit = 0.22, 0.16, 0.25
    else:
        sun = np.zeros(3)
        zenith = linear((10, 12, 22)) * (0.6 + 0.6 * cloud)
        skyline = _mix(linear((26, 28, 44)), linear(night_glow), 0.35 + 0.55 * cloud)
        ambient = np.array([0.011, 0.0115, 0.016]) * (1.0 + cloud)
        lamp_power, head_power, lit = 0.3, 0.34, 0.3
    haze = (zenith * 0.15 + skyline * 0.85) * (0.92 if parameters.time_of_day == "day" else 0.75)
    return Illumination(
        to_sun=to_sun.astype(np.float32),
        sun=sun.astype(np.float32),
        ambient=ambient.astype(np.float32),
        zenith=zenith.astype(np.float32),
        skyline=skyline.astype(np.float32),
        haze=haze.astype(np.float32),
        haze_per_metre=1.0 / parameters.visibility,
        lamp=(linear(lamp_srgb) * lamp_power).astype(np.float32),
        lamp_heads=lamp_heads.astype(np.float32) if lights_on else np.zeros((0, 3), dtype=np.float32),
        headlight=(linear(headlight_srgb) * head_power).astype(np.float32),
        headlight_at=(parameters.camera_lateral, 0.68, -1.0),
        lights_on=lights_on,
        lit_windows=lit * (0.5 + stream.unit()),
    )
