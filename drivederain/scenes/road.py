"""The ground: asphalt, markings, kerbs, pavement, verge and fields, by inverse perspective mapping of every pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .camera import Camera
from .canvas import Canvas
from .colour import linear, rgb
from .ground_light import GroundLight
from .illumination import Illumination
from .noise import cracks, look_up, smooth_step, tile
from .parameters import SceneParameters
from .streams import Stage, Stream

_REACH = 40.0  # metres either side of the centre line that the cross-section table covers
_STEP = 0.02
ASPHALT, GUTTER, KERB, PAVEMENT, GRASS, YARD = range(6)


@dataclass(frozen=True)
class Surface:
    """Colours of the ground's materials (6 x 3, linear) and how each takes the noise textures."""

    colours: Array
    grain: Array
    broad: Array


def draw_ground(
    canvas: Canvas, camera: Camera, light: Illumination, ground: GroundLight, parameters: SceneParameters
) -> None:
    """Fills every pixel that sees the ground."""
    stream = Stream(parameters.seed, parameters.index, Stage.ROAD)
    surface = _surface(parameters, stream)
    first = camera.horizon_span()[0]
    # Bands and textures are filtered by the pixel's width, so two columns of the canvas can share a ray
    right, down = camera.rays(first, camera.height, 1, 2)
    seen = down > 1e-4
    depth = np.float32(camera.camera_height) / np.maximum(down, np.float32(0.002))
    yaw = math.radians(camera.yaw_deg)
    cos, sin = np.float32(math.cos(yaw)), np.float32(math.sin(yaw))
    s = np.maximum(depth * (cos - right * sin), 0.1)
    x = np.float32(camera.lateral) + depth * (right * cos + sin)
    lateral = x - np.float32(0.5 * camera.curvature) * s * s
    pixel = depth * np.float32(2.0 / camera.focal)
    pixel_s = depth * pixel * np.float32(0.5 / camera.camera_height)

    kinds = _cross_section(parameters)
    cell = np.clip((lateral + np.float32(_REACH)) * np.float32(1.0 / _STEP), 0, kinds.size - 1).astype(np.int32)
    kind = np.take(kinds, cell)
    shift = [(stream.unit(), stream.unit()) for _ in range(5)]
    rough = np.sqrt(pixel * pixel_s)
    broad = look_up(tile(1.15, 0), x, s, 0.045, shift[0])
    middle = look_up(tile(0.75, 1), x, s, 0.02, shift[1]) * _fade(rough, 0.12)
    fine = look_up(tile(0.2, 2), x, s, 0.007, shift[2]) * _fade(rough, 0.02)
    tone = np.take(surface.broad, kind) * (0.55 * broad + 0.45 * middle) + np.take(surface.grain, kind) * (
        fine + 0.5 * middle
    )
    # Tyres polish two tracks a lane and oil drips between them
    track = np.cos(
        (lateral / np.float32(parameters.lane_width) + (0.5 if parameters.lanes % 2 else 0.0)) * (4 * math.pi)
    )
    on_road = (kind == ASPHALT).astype(np.float32)
    tone += on_road * track * np.float32(stream.uniform(-0.06, 0.06))
    cracked = look_up(cracks(), x, s, 0.018, shift[3]) * _fade(rough, 0.05) * np.float32(stream.uniform(0.1, 0.65))
    tone -= on_road * cracked
    colour = np.take(surface.colours, kind, axis=0) * np.clip(1.0 + tone, 0.25, 2.2)[:, :, None]
    _slabs(colour, kind, lateral, s, pixel, pixel_s, parameters, stream)
    _patches(colour, on_road, lateral, s, parameters, stream)
    _markings(colour, lateral, s, pixel, pixel_s, middle, parameters, stream)
    _grass(colour, kind, x, s, rough, shift[4])

    beam = _beam(light, x, s) if light.lights_on else np.zeros_like(s)
    lit = colour * ground.at(lateral, s, beam)
    part = np.exp(-np.float32(light.haze_per_metre) * depth)[:, :, None]
    veiled = light.haze + (lit - light.haze) * part
    wide = np.repeat(veiled.astype(np.float32), 2, axis=1)
    np.copyto(canvas.light[first:], wide, where=np.repeat(seen, 2, axis=1)[:, :, None])


def _fade(pixel: Array, size: float) -> Array:
    """How much of a texture of a grain size survives in pixels of a width (metres)."""
    return np.float32(1.0) / (np.float32(1.0) + (pixel * np.float32(1.0 / size)) ** 2)


def _surface(parameters: SceneParameters, stream: Stream) -> Surface:
    grey = stream.uniform(0.09, 0.2)
    warm = stream.uniform(-0.05, 0.06)
    asphalt = np.array([grey * (1.0 + warm), grey, grey * (1.0 - warm)])
    pavement = linear(stream.choice(((168, 162, 152), (150, 148, 144), (176, 160, 146), (138, 134, 132))))
    grass = linear(stream.choice(((86, 110, 50), (104, 118, 58), (74, 102, 48), (130, 128, 70))))
    yard = grass * 0.9 if parameters.setting != "city" else pavement * 0.8
    kerb = linear((172, 170, 166))
    colours = np.stack([asphalt, asphalt * 0.72, kerb, pavement, grass, yard]).astype(np.float32)
    grain = np.array([stream.uniform(0.2, 0.36), 0.24, 0.14, 0.16, 0.4, 0.3], dtype=np.float32)
    broad = np.array([stream.uniform(0.07, 0.16), 0.14, 0.08, 0.1, 0.22, 0.2], dtype=np.float32)
    return Surface(colours, grain, broad)


def _cross_section(parameters: SceneParameters) -> Array:
    """The material at each lateral position from -_REACH to _REACH in steps of _STEP, uint8."""
    away = np.abs(np.arange(-_REACH, _REACH, _STEP) + _STEP / 2.0)
    kinds = np.full(away.size, YARD, dtype=np.uint8)
    if parameters.setting == "country":
        kinds[:] = GRASS
        kinds[away < parameters.half_road + 0.5] = GUTTER
        kinds[away < parameters.half_road] = ASPHALT
        return kinds
    kinds[away < parameters.wall_line + (0.3 if parameters.setting == "city" else 0.0)] = PAVEMENT
    kinds[away < parameters.inner_verge] = GRASS
    kinds[away < parameters.half_road + 0.16] = KERB
    kinds[away < parameters.half_road] = GUTTER
    kinds[away < parameters.half_road - 0.3] = ASPHALT
    return kinds


def _band(distance: Array, half: float, pixel: Array) -> Array:
    """Coverage of a band of a half width by pixels of a width, all in metres."""
    return np.clip((np.float32(half) - distance) / pixel + np.float32(0.5), 0.0, 1.0)


def _slabs(
    colour: Array,
    kind: Array,
    lateral: Array,
    s: Array,
    pixel: Array,
    pixel_s: Array,
    parameters: SceneParameters,
    stream: Stream,
) -> None:
    size = stream.uniform(0.4, 0.95)
    rows, columns = np.nonzero(kind == PAVEMENT)
    if not rows.size or parameters.setting == "country":
        return
    at_s, at_x = s[rows, columns] / size, lateral[rows, columns] / size
    wide, long = pixel[rows, columns], pixel_s[rows, columns]
    joint = 0.007
    across = _band(np.abs(at_x - np.rint(at_x)) * size, joint, np.maximum(wide, 0.004)) * _fade(wide, 0.15)
    along = _band(np.abs(at_s - np.rint(at_s)) * size, joint, np.maximum(long, 0.004)) * _fade(long, 0.3)
    number = np.floor(at_s + 0.5).astype(np.int64) * 7919 + np.floor(at_x + 0.5).astype(np.int64) * 104729
    unit = (number % 1009).astype(np.float32) / 1009.0
    tone = (0.92 + 0.16 * unit * _fade(long, 0.5)) * (1.0 - 0.5 * np.maximum(across, along))
    colour[rows, columns] *= tone[:, None].astype(np.float32)


def _patches(
    colour: Array, on_road: Array, lateral: Array, s: Array, parameters: SceneParameters, stream: Stream
) -> None:
    """Mended rectangles of newer asphalt with sealed edges, and iron covers."""
    for _ in range(stream.integer(0, 4)):
        middle = stream.uniform(-parameters.half_road, parameters.half_road)
        at, wide, long = stream.uniform(5.0, 40.0), stream.uniform(0.4, 1.6), stream.uniform(0.7, 5.0)
        tone = stream.uniform(0.6, 0.95)
        rows = np.flatnonzero((s[:, s.shape[1] // 2] > at - long - 3.0) & (s[:, s.shape[1] // 2] < at + long + 3.0))
        if not rows.size:
            continue
        part = slice(rows[0], rows[-1] + 1)
        edge = np.maximum(np.abs(lateral[part] - middle) - wide, np.abs(s[part] - at) - long)
        inside = on_road[part] * np.clip(0.5 - edge / 0.03, 0.0, 1.0)
        seal = on_road[part] * np.clip(1.0 - np.abs(edge) / 0.05, 0.0, 1.0)
        colour[part] *= (1.0 - (1.0 - tone) * inside - 0.3 * seal)[:, :, None]
    for _ in range(stream.integer(0, 4)):
        middle = stream.uniform(-parameters.half_road, parameters.half_road)
        at, radius = stream.uniform(5.0, 30.0), stream.uniform(0.28, 0.36)
        rows = np.flatnonzero((s[:, s.shape[1] // 2] > at - 2.5) & (s[:, s.shape[1] // 2] < at + 2.5))
        if not rows.size:
            continue
        part = slice(rows[0], rows[-1] + 1)
        far = np.hypot(lateral[part] - middle, s[part] - at)
        inside = on_road[part] * np.clip((radius - far) / 0.02, 0.0, 1.0)
        pattern = (
            0.5 + 0.18 * (np.sin(lateral[part] * 90.0) * np.sin(s[part] * 90.0) > 0) - 0.25 * (far > radius * 0.86)
        )
        colour[part] *= (1.0 - inside * (1.0 - pattern))[:, :, None]


def _markings(
    colour: Array,
    lateral: Array,
    s: Array,
    pixel: Array,
    pixel_s: Array,
    wear: Array,
    parameters: SceneParameters,
    stream: Stream,
) -> None:
    white, yellow = rgb(0.68, 0.68, 0.66), rgb(0.62, 0.42, 0.06)
    half = stream.uniform(0.055, 0.085)
    period, duty = stream.choice(((6.0, 0.5), (9.0, 0.33), (12.0, 0.33), (4.5, 0.6)))
    phase = stream.unit()
    centre = stream.choice(("dashed", "solid", "double"))
    centre_colour = yellow if stream.chance(0.3) else white
    edges = stream.chance(0.8 if parameters.setting == "country" else 0.35)
    worn = stream.uniform(0.1, 0.75)
    marked = stream.chance(0.92)
    keep = np.clip(1.0 - worn * smooth_step(-0.2, 1.8, wear), 0.0, 1.0)
    inner = parameters.lanes * parameters.lane_width / 2.0
    crossing = parameters.crossing_distance
    open_road = np.ones_like(s)
    if crossing is not None:
        open_road = 1.0 - _band(np.abs(s - np.float32(crossing)), 3.4, pixel_s)

    def paint(coverage: Array, tint: Array) -> None:
        part = (coverage * keep)[:, :, None]
        colour[...] += (tint - colour) * part

    if marked:
        cycle = s / np.float32(period) + np.float32(phase)
        dashes = _band(np.abs(cycle - np.rint(cycle)) * np.float32(period), period * duty / 2.0, pixel_s)
        dashes = dashes * open_road
        for lane in range(1, parameters.lanes):
            place = -inner + lane * parameters.lane_width
            middle = lane * 2 == parameters.lanes and not parameters.one_way
            distance = np.abs(lateral - np.float32(place))
            if middle and centre == "double":
                paint(_band(np.abs(distance - np.float32(0.14)), half * 0.8, pixel) * open_road, centre_colour)
            elif middle and centre == "solid":
                paint(_band(distance, half, pixel) * open_road, centre_colour)
            else:
                paint(_band(distance, half, pixel) * dashes, centre_colour if middle else white)
        if edges or parameters.parking_lane:
            paint(_band(np.abs(np.abs(lateral) - np.float32(inner)), half * 0.9, pixel) * open_road, white)
    if crossing is not None:
        stripe, gap = stream.uniform(0.4, 0.55), stream.uniform(0.45, 0.65)
        turn = lateral / np.float32(stripe + gap)
        bars = _band(np.abs(turn - np.rint(turn)) * np.float32(stripe + gap), stripe / 2.0, pixel)
        strip = _band(np.abs(s - np.float32(crossing)), 1.6, pixel_s)
        on_road = _band(np.abs(lateral), parameters.half_road - 0.35, pixel)
        paint(bars * strip * on_road, white)
        own = (
            lateral * np.float32(parameters.side) > 0.0 if not parameters.one_way else np.ones_like(lateral, dtype=bool)
        )
        stop = _band(np.abs(s - np.float32(crossing - 3.2)), 0.2, pixel_s) * on_road * own
        paint(stop, white)


def _grass(colour: Array, kind: Array, x: Array, s: Array, rough: Array, shift: tuple[float, float]) -> None:
    rows, columns = np.nonzero(kind >= GRASS)
    if not rows.size:
        return
    box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    tufts = look_up(tile(0.9, 9), x[box], s[box] * np.float32(0.6), 0.03, shift) * _fade(rough[box], 0.3)
    grown = (kind[box] >= GRASS).astype(np.float32)
    tint = np.stack([0.26 * tufts, 0.2 * tufts, 0.1 * tufts], axis=2)
    colour[box] *= np.clip(1.0 + tint * grown[:, :, None], 0.3, 2.0)


def _beam(light: Illumination, x: Array, s: Array) -> Array:
    """The two low beams on the ground: a broad pool before the car that narrows and fades with distance."""
    forward = s - np.float32(light.headlight_at[2])
    across = (x - np.float32(light.headlight_at[0])) / np.maximum(forward, 1.0)
    broad = np.exp(-((across / np.float32(0.42)) ** 2)) + 0.9 * np.exp(-((across / np.float32(0.14)) ** 2))
    rise = smooth_step(2.5, 8.0, forward)
    return broad * rise / (1.0 + (forward / np.float32(17.0)) ** 2.6)
