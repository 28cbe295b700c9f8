"""Trees: where they stand, trunks and branches, and crowns of leaf noise over a cluster of lit balls."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from .arrays import Array
from .camera import Camera
from .canvas import Canvas
from .colour import LEAVES, varied
from .ground_light import GroundLight
from .illumination import Illumination
from .noise import TILE, smooth_step, tile
from .parameters import SceneParameters
from .streams import Stage, Stream


@dataclass(frozen=True)
class Tree:
    """A tree at a road position; ``crown`` is the crown's half width, all lengths in metres."""

    lateral: float
    s: float
    height: float
    crown: float
    stem: float
    kind: str
    leaf: Array
    item: int


def place_trees(parameters: SceneParameters) -> list[Tree]:
    """Rows of trees along an avenue, single ones in towns, woods and hedgerow trees in the country."""
    stream = Stream(parameters.seed, parameters.index, Stage.TREES)
    trees: list[Tree] = []
    season = stream.weighted((("leaf", 0.86), ("bare", 0.14)))
    base = stream.choice(LEAVES[:6]) if stream.chance(0.85) else stream.choice(LEAVES[6:])

    def plant(lateral: float, s: float, tall: float, kind: str) -> None:
        narrow = 0.2 if kind == "conifer" else stream.uniform(0.3, 0.42)
        leaf = varied(stream, (base, stream.choice(LEAVES[:6])), 0.22) * np.float32(0.8)
        trees.append(Tree(lateral, s, tall, tall * narrow, stream.uniform(0.2, 0.34), kind, leaf, len(trees)))

    setting = parameters.setting
    kerb = parameters.half_road + 0.8
    for side in (-1, 1):
        row_chance = {"city": 0.35, "town": 0.35, "avenue": 0.95, "country": 0.35}[setting]
        if stream.chance(row_chance):
            spacing, tall = stream.uniform(8.0, 16.0), stream.uniform(6.0, 11.0)
            offset = {"country": stream.uniform(2.5, 6.0), "avenue": 0.4}.get(setting, 0.0)
            s = stream.uniform(3.0, 12.0)
            while s < 110.0:
                if stream.chance(0.88):
                    kind = "bare" if season == "bare" else "broad"
                    plant(side * (kerb + offset + stream.uniform(-0.2, 0.2)), s, tall * stream.uniform(0.8, 1.2), kind)
                s += spacing * stream.uniform(0.85, 1.15)
        scattered = {"city": 0, "town": 5, "avenue": 6, "country": 12}[setting]
        for _ in range(stream.integer(0, scattered)):
            far = parameters.wall_line + stream.uniform(2.0, 6.0 if setting != "country" else 28.0)
            kind = stream.weighted((("broad", 0.6), ("conifer", 0.25), ("bush", 0.3)))
            kind = "bare" if season == "bare" and kind == "broad" else kind
            tall = stream.uniform(1.6, 3.0) if kind == "bush" else stream.uniform(5.0, 12.0)
            plant(side * far, stream.uniform(8.0, 110.0), tall, kind)
    return trees


def shade_tree(ground: GroundLight, tree: Tree) -> None:
    """The tree's shadow and the darker ground at its foot."""
    angle = np.linspace(0.0, 2.0 * np.pi, 15)[:-1]
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    foot = np.array([tree.lateral, tree.s])
    trunk = 0.035 * tree.height / 2.0
    ground.cast(foot + ring * trunk, tree.height * 0.6)
    ground.shade_under(foot + ring * 0.5, 0.35)
    leaves = np.clip(0.62 + 0.5 * tile(1.0, 10), 0.0, 0.92)
    if tree.kind == "bare":
        leaves = leaves * 0.3
    rough = 1.0 + 0.25 * np.sin(angle * 3.0 + tree.item)[:, None]
    ground.dapple(foot + ring * tree.crown * rough, tree.height * 0.68, leaves.astype(np.float32))


def draw_tree(
    canvas: Canvas, camera: Camera, light: Illumination, ground: GroundLight, tree: Tree, key: tuple[int, int]
) -> None:
    """Draws the trunk, the branches, then the crown."""
    stream = Stream(key[0], key[1], Stage.TREES, 100 + tree.item)
    column, row, scale = camera.point(tree.lateral, 0.0, tree.s)
    point = camera.world(tree.lateral, tree.height * 0.6, tree.s)
    if column + 1.6 * tree.crown * scale < 0 or column - 1.6 * tree.crown * scale > camera.width:
        return
    sunlit = ground.sunlit(tree.lateral, tree.s) * 0.5 + 0.5
    bark = varied(stream, ((84, 70, 56), (70, 62, 54), (104, 94, 82)))
    stem_light = light.shade((0.0, 0.1, -1.0), camera.world(tree.lateral, 1.2, tree.s), sunlit)
    stem_light = stem_light + light.sun * np.float32(0.15 * sunlit)
    stem_colour = light.veil(bark * stem_light, tree.s)
    lean = stream.uniform(-0.03, 0.03) * tree.height * scale
    top = row - tree.height * scale * (0.6 if tree.kind != "bare" else 0.42)
    thick = max(0.026 * tree.height * scale, 0.8)
    if tree.kind != "bush":
        trunk = [(column - thick * 0.62, row), (column - thick * 0.36 + lean, top), (column + thick * 0.36 + lean, top)]
        trunk += [(column + thick * 0.62, row)]
        half = [(column, row), (column + lean, top), *trunk[2:]]
        darker, paler = stem_colour * np.float32(0.75), stem_colour * np.float32(1.2)
        left_lit = float(light.to_sun[0]) < 0.0
        canvas.polygon(np.array(trunk), paler if left_lit else darker)
        canvas.polygon(np.array(half), darker if left_lit else paler)
    if tree.kind in ("bare", "broad"):
        spread = tree.height * scale * (0.2 if tree.kind == "bare" else 0.16)
        depth = 6 if tree.kind == "bare" else 3
        _branch(canvas, (column + lean, top), -math.pi / 2, spread, thick * 0.6, depth, stem_colour, stream)
    if tree.kind == "bare":
        return
    crown_bottom = {"bush": 0.0, "conifer": 0.08, "broad": tree.stem}[tree.kind] * tree.height
    glow = light.shade((0.0, 0.3, -0.6), point, sunlit)
    _crown(canvas, camera, light, tree, column + lean, row, scale, crown_bottom, glow, sunlit, stream)


def _branch(
    canvas: Canvas,
    start: tuple[float, float],
    angle: float,
    length: float,
    thick: float,
    depth: int,
    colour: Array,
    stream: Stream,
) -> None:
    if depth == 0 or length < 2.5:
        return
    for turn in (-1.0, 1.0, 0.15):
        towards = angle + turn * stream.uniform(0.25, 0.7) + stream.uniform(-0.12, 0.12)
        reach = length * stream.uniform(0.65, 1.0)
        if turn == 0.15 and depth < 3:
            continue
        end = (start[0] + math.cos(towards) * reach, start[1] + math.sin(towards) * reach)
        canvas.stroke(start, end, thick, colour)
        _branch(canvas, end, towards, reach * 0.76, thick * 0.62, depth - 1, colour, stream)


def _crown(
    canvas: Canvas,
    camera: Camera,
    light: Illumination,
    tree: Tree,
    column: float,
    row: float,
    scale: float,
    bottom: float,
    glow: Array,
    sunlit: float,
    stream: Stream,
) -> None:
    half = tree.crown
    tall = tree.height - bottom
    field, shine, deep = _cluster(tree.kind, light, stream)
    shifts = [(stream.unit(), stream.unit()) for _ in range(3)]
    margin = 1.3
    left, right = column - half * margin * scale, column + half * margin * scale
    top, low = (
        row - (bottom + tall * (0.5 + 0.5 * margin)) * scale,
        row - (bottom + tall * (0.5 - 0.5 * margin)) * scale,
    )
    low = min(low, row)
    box = canvas.clip(left, top, right, low)
    if box is None:
        return
    x0, y0, x1, y1 = box
    # Position in metres from the crown's middle, and in the cluster's grid, of every pixel of the box
    metres_x = (np.arange(x0, x1, dtype=np.float32) + 0.5 - column) / scale
    metres_y = (row - (np.arange(y0, y1, dtype=np.float32) + 0.5)) / scale - (bottom + tall / 2.0)
    grid = field.shape[0]
    map_x, map_y = np.meshgrid(
        (metres_x / (half * margin) + 1.0) * (grid / 2.0) - 0.5,
        (1.0 - metres_y / (tall / 2.0 * margin)) * (grid / 2.0) - 0.5,
    )
    map_x, map_y = map_x.astype(np.float32), map_y.astype(np.float32)
    layers = cv2.remap(np.dstack([field, shine, deep]), map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    clump = _grid(tile(1.0, 11), metres_x, metres_y, 0.05, shifts[0])
    leaves = _grid(tile(0.45, 12), metres_x, metres_y, 0.028, shifts[1])
    small = np.float32(1.0 / (1.0 + (0.6 / (scale * 0.06)) ** 2))
    edge = layers[:, :, 0] + 0.17 * clump + 0.1 * small * leaves
    opacity = smooth_step(0.16, 0.26, edge)
    tone = np.clip(1.0 + 0.3 * clump + 0.42 * small * leaves, 0.15, 2.6)
    direct = light.sun * np.float32(0.55 * sunlit)
    lit = glow * (0.35 + 0.65 * layers[:, :, 2:3]) + direct * np.clip(
        layers[:, :, 1:2] + 0.12 * clump[:, :, None], 0.0, 1.4
    )
    radiance = tree.leaf * lit * tone[:, :, None]
    canvas.sprite(x0, y0, light.veil(radiance, tree.s), opacity)


def _grid(texture: Array, x: Array, y: Array, texel: float, shift: tuple[float, float]) -> Array:
    step = float(x[1] - x[0]) if x.size > 1 else texel
    transform = np.array(
        [[step / texel, 0.0, x[0] / texel + shift[0] * TILE], [0.0, -step / texel, -y[0] / texel + shift[1] * TILE]]
    )
    result: Array = cv2.warpAffine(
        texture,
        transform,
        (x.size, y.size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_WRAP,
    )
    return result


def _cluster(kind: str, light: Illumination, stream: Stream) -> tuple[Array, Array, Array]:
    """Coverage (positive inside), sunshine on the leaves, and openness to the sky (0 to 1) of a crown, 72 x 72 each.

    The grid spans 1.3 half widths and half heights either way.
    """
    size = 72
    axis = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2.0 - 1.0) * np.float32(1.3)
    x, y = np.meshgrid(axis, -axis)
    field = np.full((size, size), -1.0, dtype=np.float32)
    shine = np.zeros((size, size), dtype=np.float32)
    deep = np.full((size, size), 0.4, dtype=np.float32)
    to_sun = light.to_sun
    if kind == "conifer":
        level = np.clip((1.0 - y) / 2.0, 0.0, 1.0)
        saw = 0.75 + 0.25 * ((level * stream.integer(6, 10)) % 1.0)
        wide = 0.98 * level * saw + 0.02
        field = (np.where(np.abs(y) < 1.0, wide - np.abs(x), -1.0) * 2.0).astype(np.float32)
        ball = np.clip(x / np.maximum(wide, 0.05), -1.0, 1.0)
        front = np.sqrt(1.0 - ball * ball)
        shine = np.clip(ball * to_sun[0] + 0.35 * to_sun[1] - front * to_sun[2], 0.0, 1.0) * saw
        deep = (0.25 + 0.75 * saw * (1.0 - 0.5 * np.abs(ball))).astype(np.float32)
        return field, shine.astype(np.float32), deep
    for number in range(stream.integer(12, 18)):
        turn, out = stream.uniform(0.0, 2.0 * math.pi), math.sqrt(stream.unit()) * 0.68
        if number == 0:
            out = 0.0
        middle_x, middle_y = out * math.cos(turn), out * math.sin(turn) * (1.0 if kind == "broad" else 0.7)
        radius = stream.uniform(0.3, 0.46) if number else 0.55
        dx, dy = (x - middle_x) / radius, (y - middle_y) / radius
        inside = 1.0 - dx * dx - dy * dy
        z = np.sqrt(np.clip(inside, 0.0, 1.0))
        nearer = inside > field
        field = np.where(nearer, inside, field)
        sunny = np.clip(dx * to_sun[0] + dy * to_sun[1] - z * to_sun[2], 0.0, 1.0)
        shine = np.where(nearer, sunny, shine)
        deep = np.where(nearer, np.clip(0.5 + 0.3 * dy + 0.25 * (y + 0.2), 0.08, 1.0), deep)
    return field.astype(np.float32), shine.astype(np.float32), deep.astype(np.float32)
