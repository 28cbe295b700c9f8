"""The sky: gradient, sun glow, clouds of fractal noise on a flat deck, stars, and the far skyline."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .arrays import Array
from .camera import Camera
from .canvas import Canvas
from .colour import linear, rgb
from .illumination import Illumination
from .noise import TILE, look_up, smooth_step, tile
from .parameters import SceneParameters
from .streams import Stage, Stream


def draw_sky(canvas: Canvas, camera: Camera, light: Illumination, parameters: SceneParameters) -> None:
    """Fills the rows above the horizon (and those that hold a part of it)."""
    stream = Stream(parameters.seed, parameters.index, Stage.SKY, 1)
    last = camera.horizon_span()[1]
    # The sky is smooth: half the canvas's resolution, as the canvas is drawn at twice the picture's
    right, down = camera.rays(0, last, 2, 2)
    yaw = np.float32(math.radians(camera.yaw_deg))
    up = np.maximum(-down, 0.0)
    length = np.sqrt(1.0 + right * right + up * up)
    direction_x, direction_y, direction_z = (right + yaw) / length, up / length, (1.0 - yaw * right) / length
    rise = (1.0 - np.exp(-direction_y * np.float32(stream.uniform(2.2, 4.0))))[:, :, None]
    colour = light.skyline + (light.zenith - light.skyline) * rise
    towards = direction_x * light.to_sun[0] + direction_y * light.to_sun[1] + direction_z * light.to_sun[2]
    towards = np.clip(towards, 0.0, 1.0)
    night = parameters.time_of_day == "night"
    if not night:
        open_sky = 1.0 - 0.85 * parameters.cloud_cover
        warm = linear((255, 236, 200)) if parameters.time_of_day == "day" else linear((255, 150, 70))
        strength = 1.0 if parameters.time_of_day == "day" else 0.5
        glow = towards**24 * np.float32(0.35 * open_sky) + towards**400 * np.float32(1.2 * open_sky)
        if parameters.sun_elevation > 0.5:
            glow += smooth_step(0.99965, 0.9999, towards) * np.float32(12.0 * open_sky)
        colour = colour + glow[:, :, None] * (warm * strength)
    colour = _clouds(colour, direction_x, direction_y, direction_z, towards, light, parameters, stream)
    if night and parameters.cloud_cover < 0.5:
        colour = _stars(colour, stream)
    canvas.light[:last] = cv2.resize(colour, (camera.width, 2 * colour.shape[0]))[:last]
    _skyline(canvas, camera, light, parameters, stream)


def _clouds(
    colour: Array,
    x: Array,
    y: Array,
    z: Array,
    towards: Array,
    light: Illumination,
    parameters: SceneParameters,
    stream: Stream,
) -> Array:
    deck = y + np.float32(stream.uniform(0.06, 0.12))  # the deck bends down, so that it does not shrink without end
    plane_x, plane_y = x / deck, z / deck
    texel = stream.uniform(0.012, 0.03)
    wind = stream.uniform(-0.5, 0.5)
    drift_x, drift_y = plane_x + wind * plane_y, plane_y * np.float32(stream.uniform(0.7, 1.3))
    shift = (stream.unit(), stream.unit())
    shape, detail = tile(1.75, 1), tile(1.15, 2)
    density = look_up(shape, drift_x, drift_y, texel, shift)
    density += 0.28 * look_up(detail, drift_x, drift_y, texel * 0.35, (shift[1], shift[0]))
    lit_side = (float(light.to_sun[0]) * 9.0 / TILE, float(light.to_sun[2]) * 9.0 / TILE)
    nearer = look_up(shape, drift_x, drift_y, texel, (shift[0] + lit_side[0], shift[1] + lit_side[1]))
    level = 1.5 - 3.0 * parameters.cloud_cover
    softness = stream.uniform(0.5, 1.1)
    cover = smooth_step(level - 0.1, level + softness, density) * smooth_step(0.0, 0.03, y)
    thick = smooth_step(level + 0.2, level + 2.2, density)
    relief = np.clip(0.5 + 0.45 * (density - nearer), 0.0, 1.0)
    overcast = parameters.cloud_cover > 0.85
    if parameters.time_of_day == "day":
        bright = rgb(1.25, 1.22, 1.18) if not overcast else rgb(0.98, 0.99, 1.0)
        dark = rgb(0.5, 0.53, 0.6) if not overcast else rgb(0.52, 0.54, 0.58)
    elif parameters.time_of_day == "dusk":
        bright = light.skyline * np.float32(0.95) + np.float32(0.03)
        dark = light.zenith * np.float32(0.8) + light.skyline * np.float32(0.08)
    else:
        bright, dark = light.skyline * np.float32(0.9), light.zenith * np.float32(1.3)
    part = np.clip(relief * (1.0 - 0.45 * thick) + 0.18 * (1.0 - thick), 0.0, 1.0)[:, :, None]
    cloud = dark + (bright - dark) * part
    if parameters.time_of_day != "night" and not overcast:
        cloud = cloud * (1.0 + 0.5 * (towards**12)[:, :, None])
    faded = np.exp(-0.22 / np.maximum(y + 0.02, 0.02))[:, :, None]  # far clouds sink into the haze
    cloud = light.haze + (cloud - light.haze) * (0.35 + 0.65 * faded)
    return (colour + (cloud - colour) * (cover * np.float32(0.94))[:, :, None]).astype(np.float32)


def _stars(colour: Array, stream: Stream) -> Array:
    for _ in range(60):
        column, row, strength = stream.unit(), stream.unit(), stream.unit()
        y, x = int(row * 0.8 * colour.shape[0]), int(column * colour.shape[1])
        colour[y, x] += np.float32(0.02 + 0.2 * strength**4)
    return colour


def _skyline(canvas: Canvas, camera: Camera, light: Illumination, parameters: SceneParameters, stream: Stream) -> None:
    """Far hills, woods and, in a city, towers: bands that stand on the horizon, the farther the paler."""
    columns = np.arange(0, camera.width + 1, max(1, camera.width // 320), dtype=np.float64)
    columns[-1] = camera.width
    angle = (columns - camera.width / 2.0) / camera.focal
    roll = math.tan(math.radians(camera.roll_deg))
    base = camera.horizon_row + (columns - camera.width / 2.0) * roll
    town = parameters.setting in ("city", "town")
    for layer, distance in enumerate((900.0, 480.0, 260.0)):
        wooded = linear((50, 62, 44)) if not town or layer == 2 else linear((104, 104, 108))
        shape = tile(1.5, 6 + layer)[stream.integer(0, TILE - 1)]
        fine = tile(0.9, 6)[stream.integer(0, TILE - 1)]
        position = (angle + 2.0) * 90.0
        rise = np.interp(position * 1.3 % TILE, np.arange(TILE), shape)
        ragged = np.interp(position * 9.0 % TILE, np.arange(TILE), fine)
        height = np.maximum(distance * (0.022 + 0.016 * rise) + 1.3 * ragged, 1.0)
        if town and layer < 2:
            height = np.maximum(height, _towers(angle, distance, stream))
        top = base - camera.focal * height / distance
        points = np.concatenate([np.stack([columns, top], 1), np.stack([columns, base + 1.5], 1)[::-1]])
        shade = light.shade((0.0, 0.4, -1.0), (1e6, 1e6, distance), 0.5)
        canvas.polygon(points, light.veil(wooded * shade, distance))


def _towers(angle: Array, distance: float, stream: Stream) -> Array:
    height = np.zeros_like(angle)
    for _ in range(stream.integer(4, 14)):
        middle, half = stream.uniform(-0.9, 0.9), stream.uniform(5.0, 16.0) / distance
        storeys = stream.uniform(8.0, 40.0)
        height = np.where(np.abs(angle - middle) < half, np.maximum(height, storeys), height)
    return height
