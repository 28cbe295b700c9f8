"""Street furniture: lamp posts, traffic signs, traffic lights, and poles with wires."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .camera import Camera
from .canvas import Canvas
from .colour import Srgb, linear, rgb
from .ground_light import GroundLight
from .illumination import Illumination
from .parameters import SceneParameters
from .streams import Stage, Stream

_SIGNALS: dict[str, Srgb] = {"red": (255, 30, 20), "amber": (255, 160, 20), "green": (30, 240, 140)}


@dataclass(frozen=True)
class Post:
    """A post at a road position. ``kind`` is lamp, sign, light or pole; ``face`` what it carries; lengths in metres."""

    lateral: float
    s: float
    height: float
    arm: float
    kind: str
    face: str

    def lamp_head(self, camera: Camera) -> tuple[float, float, float]:
        """World point of a lamp's light."""
        return camera.world(self.lateral - math.copysign(self.arm, self.lateral), self.height - 0.1, self.s)


def place_posts(parameters: SceneParameters) -> list[Post]:
    """Lamps at even distances, signs here and there, lights at a crossing, sometimes poles with wires."""
    stream = Stream(parameters.seed, parameters.index, Stage.FURNITURE)
    posts: list[Post] = []
    edge = parameters.half_road + 0.55
    lamp_sides = {"city": (-1, 1), "town": (parameters.side,), "avenue": (-1, 1), "country": ()}[parameters.setting]
    spacing, height, arm = stream.uniform(18.0, 32.0), stream.uniform(5.5, 9.0), stream.uniform(0.8, 2.4)
    globe = stream.chance(0.25)
    for side in lamp_sides:
        s = stream.uniform(4.0, 20.0)
        while s < 130.0:
            tall = 4.2 if globe else height
            posts.append(Post(side * edge, s, tall, 0.0 if globe else arm, "lamp", "globe" if globe else "head"))
            s += spacing
    for _ in range(stream.integer(0, 4)):
        side = parameters.side if stream.chance(0.8) else -parameters.side
        face = stream.choice(("limit", "no", "warn", "give", "order", "plate", "park"))
        posts.append(Post(side * (edge + 0.1), stream.uniform(7.0, 60.0), stream.uniform(2.4, 3.1), 0.0, "sign", face))
    if parameters.crossing_distance is not None and stream.chance(0.6):
        face = stream.choice(("red", "green", "amber"))
        for side in (-1, 1):
            arm = stream.uniform(2.0, 3.5) if stream.chance(0.4) and side == parameters.side else 0.0
            tall = 5.6 if arm else 3.4
            posts.append(Post(side * edge, parameters.crossing_distance + 2.2, tall, arm, "light", face))
    if parameters.setting in ("town", "country", "avenue") and stream.chance(0.5):
        side, s = stream.choice((-1, 1)), stream.uniform(-25.0, 5.0)
        gap, tall, count = stream.uniform(25.0, 40.0), stream.uniform(7.0, 9.5), stream.integer(2, 4)
        while s < 220.0:
            posts.append(Post(side * (edge + 1.2), s, tall, 0.0, "pole", str(count)))
            s += gap
    return posts


def shade_post(ground: GroundLight, post: Post) -> None:
    """The shadow of a post."""
    half = 0.07
    square = np.array([[-half, -half], [half, -half], [half, half], [-half, half]]) + np.array((post.lateral, post.s))
    ground.cast(square, post.height)
    if post.kind == "sign":
        wide = np.array([[-0.3, 0.0], [0.3, 0.0], [0.3, 0.1], [-0.3, 0.1]]) + np.array((post.lateral, post.s))
        ground.cast(wide, post.height, post.height - 0.6)


class PostPainter:
    """Draws posts and what they carry."""

    def __init__(self, canvas: Canvas, camera: Camera, light: Illumination, ground: GroundLight) -> None:
        self.canvas, self.camera, self.light, self.ground = canvas, camera, light, ground

    def draw(self, post: Post) -> None:
        """Draws one post."""
        if post.s < 2.0:
            return
        metal = linear((92, 96, 98)) if post.kind != "pole" else linear((110, 92, 74))
        shade = self._shade(post, post.height * 0.4)
        colour = self.light.veil(metal * shade, post.s)
        radius = {"lamp": 0.075, "sign": 0.035, "light": 0.07, "pole": 0.12}[post.kind]
        self._upright(post, radius, colour)
        if post.kind == "lamp":
            self._lamp(post, colour)
        elif post.kind == "sign":
            self._sign(post)
        elif post.kind == "light":
            self._traffic_light(post, colour)

    def wires(self, near: Post, far: Post) -> None:
        """Hangs the wires between two poles, as far as they are before the camera."""
        colour = self.light.veil(rgb(0.02, 0.02, 0.022) * self.light.ambient, (near.s + far.s) / 2.0)
        for number in range(int(near.face)):
            points = []
            for s in np.linspace(max(near.s, 1.5), max(far.s, 1.5), 13):
                part = (float(s) - near.s) / (far.s - near.s)
                sag = 0.9 * (1.0 - (2.0 * part - 1.0) ** 2)
                points.append(self.camera.world(near.lateral, near.height - 0.3 - 0.45 * number - sag, float(s)))
            pixels = self.camera.project(np.array(points))[0]
            self.canvas.path(pixels, 0.02 * self.camera.focal / max(near.s, 6.0), colour)

    def _shade(self, post: Post, y: float) -> Array:
        sunlit = self.ground.sunlit(post.lateral, post.s)
        light = self.light.shade((0.0, 0.0, -1.0), self.camera.world(post.lateral, y, post.s), sunlit)
        return (light + self.light.sun * np.float32(0.25 * sunlit)).astype(np.float32)

    def _upright(self, post: Post, radius: float, colour: Array) -> None:
        column, row, scale = self.camera.point(post.lateral, 0.0, post.s)
        top_column, top_row, _ = self.camera.point(post.lateral, post.height, post.s)
        wide, narrow = max(radius * scale, 0.5), max(radius * scale * 0.6, 0.4)
        body = [
            (column - wide, row),
            (column + wide, row),
            (top_column + narrow, top_row),
            (top_column - narrow, top_row),
        ]
        self.canvas.polygon(np.array(body), colour)
        bright = [(column - wide * 0.1, row), (column + wide * 0.5, row), (top_column + narrow * 0.5, top_row),
                  (top_column - narrow * 0.1, top_row)]  # fmt: skip
        self.canvas.polygon(np.array(bright), colour * np.float32(1.35))

    def _lamp(self, post: Post, colour: Array) -> None:
        on = self.light.lights_on
        glow = self.light.lamp / np.float32(max(float(self.light.lamp.max()), 1e-6)) * np.float32(14.0)
        pale = linear((220, 220, 214)) * self._shade(post, post.height)
        lamp = glow if on else self.light.veil(pale, post.s)
        if post.face == "globe":
            self._disc(post.lateral, post.height + 0.15, post.s, 0.22, lamp * np.float32(0.5 if on else 1.0))
            return
        inward = -math.copysign(1.0, post.lateral)
        scale = self.camera.focal / post.s
        steps = [
            (post.lateral + inward * post.arm * p, post.height + 0.25 * math.sin(p * 1.6), post.s) for p in (0, 0.5, 1)
        ]
        pixels = self.camera.project(np.array([self.camera.world(x, y, s) for x, y, s in steps]))[0]
        self.canvas.path(pixels, 0.07 * scale, colour)
        x, y = steps[-1][0], steps[-1][1]
        self._box(x - 0.32, x + 0.32, y - 0.02, y + 0.12, post.s, colour)
        self._box(x - 0.24, x + 0.24, y - 0.1, y - 0.02, post.s, lamp)

    def _sign(self, post: Post) -> None:
        light = self._shade(post, post.height) * np.float32(1.15)
        if self.light.lights_on:
            light = light * np.float32(1.8)  # the foil sends the headlights back

        def tint(red: int, green: int, blue: int) -> Array:
            return self.light.veil(linear((red, green, blue)) * light, post.s)

        red, white, black, blue = tint(186, 24, 30), tint(232, 232, 228), tint(24, 24, 26), tint(20, 70, 160)
        x, y, s = post.lateral, post.height - 0.1, post.s
        if post.face in ("limit", "no"):
            self._disc(x, y, s, 0.34, red)
            self._disc(x, y, s, 0.26, white)
            if post.face == "limit":
                self._box(x - 0.15, x - 0.03, y - 0.11, y + 0.11, s, black)
                self._box(x + 0.03, x + 0.15, y - 0.11, y + 0.11, s, black)
                self._box(x + 0.07, x + 0.11, y - 0.07, y + 0.07, s, white)
            else:
                self._box(x - 0.2, x + 0.2, y - 0.05, y + 0.05, s, red)
        elif post.face in ("warn", "give"):
            up = 1.0 if post.face == "warn" else -1.0
            for size, colour in ((0.42, red), (0.28, white)):
                corners = [(x - size, y - up * size * 0.6), (x + size, y - up * size * 0.6), (x, y + up * size * 1.1)]
                self._shape([(a, b, s) for a, b in corners], colour)
            if post.face == "warn":
                self._box(x - 0.03, x + 0.03, y - 0.08, y + 0.14, s, black)
        elif post.face == "order":
            self._disc(x, y, s, 0.33, blue)
            self._box(x - 0.04, x + 0.04, y - 0.2, y + 0.08, s, white)
            self._shape([(x - 0.14, y + 0.05, s), (x + 0.14, y + 0.05, s), (x, y + 0.22, s)], white)
        elif post.face == "park":
            self._box(x - 0.3, x + 0.3, y - 0.3, y + 0.3, s, blue)
            self._box(x - 0.14, x - 0.06, y - 0.2, y + 0.2, s, white)
            self._disc(x + 0.0, y + 0.09, s, 0.12, white)
            self._disc(x + 0.0, y + 0.09, s, 0.05, blue)
        else:
            self._box(x - 0.75, x + 0.75, y - 0.1, y + 0.55, s, white)
            self._box(x - 0.71, x + 0.71, y - 0.06, y + 0.51, s, blue)
            for line in range(2):
                for part in range(5):
                    left = x - 0.6 + part * 0.24
                    self._box(left, left + 0.17, y + 0.06 + 0.23 * line, y + 0.2 + 0.23 * line, s, white)

    def _traffic_light(self, post: Post, colour: Array) -> None:
        x, y, s = post.lateral, post.height - 0.5, post.s
        if post.arm:
            inward = -math.copysign(post.arm, post.lateral)
            self._box(min(x, x + inward), max(x, x + inward), post.height - 0.1, post.height, s, colour)
            x += inward
        case = self.light.veil(rgb(0.016, 0.017, 0.017) * self._shade(post, y), s)
        self._box(x - 0.3, x + 0.3, y - 0.75, y + 0.45, s, case * np.float32(0.6))
        self._box(x - 0.17, x + 0.17, y - 0.6, y + 0.36, s, case * np.float32(1.5))
        strength = np.float32(1.6 if not self.light.lights_on else 3.2)
        for number, (name, tint) in enumerate(_SIGNALS.items()):
            lamp = linear(tint) * (strength if name == post.face else np.float32(0.03))
            self._disc(x, y + 0.2 - 0.31 * number, s, 0.115, lamp)

    def _box(self, left: float, right: float, bottom: float, top: float, s: float, colour: Array) -> None:
        self._shape([(left, bottom, s), (right, bottom, s), (right, top, s), (left, top, s)], colour)

    def _disc(self, x: float, y: float, s: float, radius: float, colour: Array) -> None:
        turn = np.linspace(0.0, 2.0 * np.pi, 25)[:-1]
        self._shape([(x + radius * math.cos(a), y + radius * math.sin(a), s) for a in turn], colour)

    def _shape(self, points: list[tuple[float, float, float]], colour: Array) -> None:
        corners = self.camera.project(np.array([self.camera.world(*point) for point in points]))[0]
        self.canvas.polygon(corners, colour)
