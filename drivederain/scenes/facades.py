"""The face of a building as a texture: wall, window grid, doors, shops with signs, balconies, cornice."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .arrays import Array
from .colour import DOORS, SIGNS, TRIMS, WALLS, linear, rgb, varied
from .lettering import GLYPHS, lettering
from .noise import look_up_grid, tile
from .streams import Stage, Stream


@dataclass(frozen=True)
class FacadeStyle:
    """How a building's faces look; lengths in metres, colours in linear light."""

    wall: Array
    trim: Array
    door: Array
    material: str
    bay: float
    window_width: float
    window_height: float
    sill: float
    mullions: int
    balconies: float
    shutters: bool
    shop: bool
    shop_bay: float
    plinth: Array
    dirt: float
    cornice: float
    item: int


def draw_style(stream: Stream, item: int, urban: bool) -> FacadeStyle:
    """A style for one building; ``urban`` makes shops, glass fronts and wide windows likelier."""
    material = stream.weighted((("plaster", 0.5), ("brick", 0.3), ("stone", 0.12), ("glass", 0.1 if urban else 0.0)))
    glass = material == "glass"
    wall = varied(stream, ((150, 86, 70), (132, 74, 58), (170, 110, 84), (176, 150, 116), (110, 72, 62))
                  if material == "brick" else WALLS)  # fmt: skip
    return FacadeStyle(
        wall=wall,
        trim=varied(stream, TRIMS),
        door=varied(stream, DOORS),
        material=material,
        bay=stream.uniform(1.6, 2.2) if glass else stream.uniform(2.1, 3.6),
        window_width=stream.uniform(1.4, 1.55) if glass else stream.uniform(0.9, 1.5),
        window_height=stream.uniform(1.9, 2.5) if glass else stream.uniform(1.3, 2.0),
        sill=stream.uniform(0.3, 0.5) if glass else stream.uniform(0.6, 0.95),
        mullions=stream.integer(0, 2),
        balconies=stream.uniform(0.25, 0.9) if stream.chance(0.3) and not glass else 0.0,
        shutters=stream.chance(0.2) and not glass,
        shop=stream.chance(0.75 if urban else 0.25),
        shop_bay=stream.uniform(3.6, 6.5),
        plinth=varied(stream, ((120, 116, 110), (96, 92, 90), (140, 134, 124))),
        dirt=stream.uniform(0.4, 1.3),
        cornice=stream.uniform(0.3, 0.7),
        item=item,
    )


@dataclass(frozen=True)
class FacadeLight:
    """``lit``: the part of windows lit inside; ``strength``: how brightly; ``reflection`` (3): what panes mirror."""

    lit: float
    strength: float
    reflection: Array


class Facade:
    """Paints one face of ``width`` x ``height`` metres at columns ``t`` (n, from the left) and rows ``y`` (m, from the
    top, metres above the ground). ``albedo`` and ``glow`` are m x n x 3."""

    def __init__(
        self,
        style: FacadeStyle,
        width: float,
        height: float,
        ground: float,
        storey: float,
        t: Array,
        y: Array,
        light: FacadeLight,
        key: tuple[int, int, int],
    ) -> None:
        self.style, self.width, self.height, self.ground, self.storey = style, width, height, ground, storey
        self.t, self.y, self.light = t.astype(np.float32), y.astype(np.float32), light
        self.stream = Stream(key[0], key[1], Stage.BUILDINGS, 1000 + key[2])
        self.shift = (self.stream.unit(), self.stream.unit())
        self.albedo: Array = np.zeros((y.size, t.size, 3), dtype=np.float32)
        self.glow: Array = np.zeros_like(self.albedo)

    def paint(self, front: bool) -> None:
        """Paints everything; a face that is not the front has no shop, no door and fewer windows."""
        self._wall()
        self._windows(front)
        if front:
            self._ground_floor()
        self._cornice()

    def _fill(self, rows: Array, columns: Array, colour: Array, glow: Array | None = None) -> None:
        place = np.ix_(np.flatnonzero(rows), np.flatnonzero(columns))
        self.albedo[place] = colour
        self.glow[place] = 0.0 if glow is None else glow

    def _wall(self) -> None:
        style, t, y = self.style, self.t, self.y
        broad = look_up_grid(tile(1.4, 2), t, y, 0.06, self.shift)
        fine = look_up_grid(tile(0.6, 3), t, y, 0.018, self.shift)
        streaks = look_up_grid(tile(1.0, 4), t, y * np.float32(0.08), 0.05, self.shift)
        tone = 1.0 + style.dirt * (0.055 * broad + 0.05 * fine + 0.045 * streaks)
        tone *= 1.0 - 0.12 * style.dirt * np.exp(-np.maximum(y, 0.0) / 0.9)[:, None]
        if style.material in ("brick", "stone"):
            high, long, joint = (0.085, 0.26, 0.012) if style.material == "brick" else (0.42, 0.9, 0.02)
            course = np.floor(y / high)
            along = t[None, :] / long + 0.5 * (course % 2)[:, None]
            number = np.floor(along).astype(np.int32) * 131 + course.astype(np.int32)[:, None] * 523
            unit = (number % 4093).astype(np.float32) * np.float32(1.0 / 4093.0)
            step_t = abs(float(t[1] - t[0])) if t.size > 1 else 1.0
            step_y = abs(float(y[0] - y[1])) if y.size > 1 else 1.0
            sharp_y, sharp_t = min(1.0, joint / step_y), min(1.0, joint / step_t)
            joints = np.maximum(((y % high) < max(joint, step_y))[:, None] * sharp_y,
                                ((along % 1.0) * long < max(joint, step_t)) * sharp_t)  # fmt: skip
            tone = tone * (0.88 + 0.24 * unit) * (1.0 - 0.32 * joints)
        self.albedo[:] = style.wall * tone[:, :, None]
        plinth = y < 0.5
        self.albedo[plinth] = style.plinth * tone[plinth][:, :, None]

    def _windows(self, front: bool) -> None:
        style, t, y = self.style, self.t, self.y
        bays = max(1, round((self.width - 0.6) / style.bay))
        bay = self.width / bays
        column = np.clip((t / bay).astype(np.int64), 0, bays - 1)
        across = (t - (column + 0.5) * bay).astype(np.float32)
        storeys = max(0, round((self.height - self.ground) / self.storey))
        above = y - self.ground
        level = np.floor(above / self.storey)
        up = (above - level * self.storey - style.sill).astype(np.float32)
        level = level.astype(np.int64)
        usable = (level >= 0) & (level < storeys)
        half = min(style.window_width, bay - 0.3) / 2.0
        tall = min(style.window_height, self.storey - style.sill - 0.25)
        level = np.clip(level, 0, max(storeys - 1, 0))
        shape = (max(storeys, 1), bays)
        present = self.stream.array(*shape) < (1.0 if front else 0.3)
        lit = self.stream.array(*shape) < self.light.lit
        tone, hue, curtain = self.stream.array(*shape), self.stream.array(*shape), self.stream.array(*shape)
        balcony = self.stream.array(*shape) < style.balconies
        if storeys == 0:
            return
        band = usable & (up > -0.2) & (up < 0.0)
        self._masked(band[:, None] & (np.abs(across) < half + 0.14)[None, :] & present[level][:, column], style.trim)
        under = usable & (up > -0.42) & (up <= -0.2)
        shadow = under[:, None] & (np.abs(across) < half + 0.1)[None, :] & present[level][:, column]
        self.albedo[shadow] *= 0.72
        if style.shutters:
            leaf = (np.abs(across) > half) & (np.abs(across) < half * 1.75) & (np.abs(across) < bay / 2.0 - 0.05)
            slats = 0.75 + 0.25 * ((y % 0.12) > 0.05)
            area = (usable & (up > 0) & (up < tall))[:, None] & leaf[None, :] & present[level][:, column]
            self.albedo[area] = (style.door[None, None, :] * 1.6 * slats[:, None, None]
                                 * np.ones((1, t.size, 1), np.float32))[area]  # fmt: skip
        opening_rows = np.flatnonzero(usable & (up >= 0.0) & (up < tall))
        opening_columns = np.flatnonzero(np.abs(across) < half)
        if not (opening_rows.size and opening_columns.size):
            return
        place = np.ix_(opening_rows, opening_columns)
        w_up, w_across = up[opening_rows], across[opening_columns]
        of = np.ix_(level[opening_rows], column[opening_columns])
        frame = np.maximum(((w_up < 0.07) | (w_up > tall - 0.07))[:, None], (np.abs(w_across) > half - 0.07)[None, :])
        if style.mullions >= 1:
            frame = frame | (np.abs(w_across) < 0.035)[None, :]
        if style.mullions == 2:
            frame = frame | (np.abs(w_up - tall * 0.66) < 0.035)[:, None]
        pane = np.float32(0.02) + 0.03 * tone[of]
        # Panes mirror the sky over the far side of the street: brighter upwards, each pane tilted a little
        mirror = (0.06 + 0.3 * tone[of] ** 2) * (0.35 + 0.65 * (w_up / tall))[:, None]
        across_street = look_up_grid(tile(1.4, 8), t[opening_columns], y[opening_rows], 0.05, self.shift)
        mirror = mirror * np.where(across_street > 0.1, 1.0, 0.3 + 0.1 * across_street)
        deep = np.where(w_up > tall - 0.22, 0.45, 1.0)[:, None].astype(np.float32)
        albedo = np.repeat(pane[:, :, None], 3, axis=2)
        glow = self.light.reflection * (mirror * deep)[:, :, None]
        drawn = (curtain[of] < 0.45) & ((w_up[:, None] > tall * (curtain[of] * 1.6)) | (curtain[of] < 0.1))
        albedo[drawn] = (
            rgb(0.42, 0.4, 0.36) * (0.7 + 0.3 * np.cos(w_across * 40.0))[None, :, None].repeat(w_up.size, 0)[drawn]
        )
        glow[drawn] *= 0.6
        warm = np.stack([np.ones_like(hue), 0.62 + 0.25 * hue, 0.28 + 0.5 * hue * hue], axis=2).astype(np.float32)
        inside = self.light.strength * (0.35 + 0.65 * tone[of]) * (0.55 + 0.45 * (w_up / tall))[:, None]
        glow = np.where(lit[of][:, :, None], warm[of] * inside[:, :, None], glow)
        albedo = np.where(frame[:, :, None], style.trim, albedo * deep[:, :, None])
        glow = np.where(frame[:, :, None], 0.0, glow)
        shown = present[of][:, :, None]
        self.albedo[place] = np.where(shown, albedo, self.albedo[place])
        self.glow[place] = np.where(shown, glow, self.glow[place])
        if front and style.balconies > 0.0:
            self._balconies(usable, up + style.sill, across, balcony[level][:, column], half, bay)

    def _balconies(self, usable: Array, up: Array, across: Array, there: Array, half: float, bay: float) -> None:
        wide = np.abs(across) < min(half + 0.35, bay / 2.0 - 0.1)
        slab = usable & (up < 0.16)
        self._masked(slab[:, None] & wide[None, :] & there, self.style.trim * np.float32(0.8))
        rail = usable & (up >= 0.16) & (up < 1.0)
        bars = (np.abs(across) % 0.13 < 0.035)[None, :] | (up > 0.92)[:, None]
        self._masked(rail[:, None] & wide[None, :] & bars & there, rgb(0.02, 0.02, 0.022))

    def _masked(self, mask: Array, colour: Array) -> None:
        self.albedo[mask] = colour
        self.glow[mask] = 0.0

    def _ground_floor(self) -> None:
        style, t, y = self.style, self.t, self.y
        units = max(1, round(self.width / style.shop_bay))
        unit = self.width / units
        for number in range(units):
            left = number * unit
            kind = "shop" if style.shop and self.stream.chance(0.85) else "door"
            sign, sign_text = varied(self.stream, SIGNS), varied(self.stream, SIGNS[-4:-2])
            lit = self.light.strength > 0.0 and self.stream.chance(0.55)
            door_side, word = self.stream.chance(0.5), self._word()
            warm = linear((255, 226 + self.stream.integer(0, 20), 170 + self.stream.integer(0, 60)))
            inside = (t >= left) & (t < left + unit)
            if not inside.any():
                continue
            if kind == "shop":
                self._shop(left, unit, sign, sign_text, lit, door_side, word, warm)
            else:
                middle = left + unit * (0.25 if door_side else 0.75)
                frame = (np.abs(t - middle) < 0.65) & inside
                self._fill(y < 2.4, frame, style.trim)
                panel = (np.abs(t - middle) < 0.5) & inside
                self._fill(y < 2.2, panel, style.door)
                self._fill((y < 2.1) & (y > 1.6), panel & (np.abs(t - middle) < 0.4), rgb(0.03, 0.03, 0.03),
                           warm * np.float32(0.4 * self.light.strength if lit else 0.0))  # fmt: skip
                other = left + unit * (0.72 if door_side else 0.28)
                opening = (np.abs(t - other) < 0.6) & inside
                self._fill((y > 0.9) & (y < min(2.5, self.ground - 0.3)), opening, style.trim)
                opening = (np.abs(t - other) < 0.52) & inside
                inside_light = warm * np.float32(self.light.strength * 0.7) if lit else self.light.reflection * 0.12
                pane = (y > 1.0) & (y < min(2.4, self.ground - 0.4))
                self._fill(pane, opening, rgb(0.03, 0.03, 0.03), inside_light)

    def _shop(
        self,
        left: float,
        unit: float,
        sign: Array,
        letters: Array,
        lit: bool,
        door_side: bool,
        word: str,
        warm: Array,
    ) -> None:
        style, t, y = self.style, self.t, self.y
        top = self.ground - 0.85
        whole = (t >= left + 0.12) & (t < left + unit - 0.12)
        self._fill(y < self.ground - 0.1, whole, sign * np.float32(0.45))
        pane = (t > left + 0.3) & (t < left + unit - 0.3)
        rows, columns = np.flatnonzero((y > 0.45) & (y < top)), np.flatnonzero(pane)
        if rows.size and columns.size:
            place = np.ix_(rows, columns)
            goods = look_up_grid(tile(1.1, 7), np.floor(t[columns] / 0.22) * 0.22, np.floor(y[rows] / 0.3) * 0.3, 0.1,
                                 self.shift)  # fmt: skip
            fine = look_up_grid(tile(0.8, 8), t[columns], y[rows], 0.02, self.shift)
            shown = (
                np.clip(0.12 + 0.16 * goods + 0.07 * fine, 0.01, 0.8)
                * np.where(y[rows] < top * 0.62, 1.0, 0.45)[:, None]
            )
            tint = np.stack([shown, shown * (1.0 - 0.12 * np.sign(goods)), shown * (1.0 - 0.2 * np.sign(fine))], axis=2)
            self.albedo[place] = tint * np.float32(0.5)
            power = self.light.strength * 1.6 if lit else 0.0
            street = look_up_grid(tile(1.4, 9), t[columns], y[rows], 0.04, self.shift)
            mirror = (np.where(street > 0.4, 0.16, 0.035) * (0.4 + 0.6 * (y[rows] / top))[:, None])[:, :, None]
            self.glow[place] = self.light.reflection * mirror + warm * (power * (0.25 + 2.2 * tint))
        door = left + (0.9 if door_side else unit - 0.9)
        self._fill(y < min(2.3, top), (np.abs(t - door) < 0.55) & whole, style.door)
        self._fill((y < min(2.2, top)) & (y > 0.25), (np.abs(t - door) < 0.42) & whole, rgb(0.03, 0.03, 0.03),
                   warm * np.float32(self.light.strength * 0.9) if lit else self.light.reflection * 0.1)  # fmt: skip
        band = (y > top + 0.05) & (y < self.ground - 0.12)
        glow = 0.45 * self.light.strength if lit else 0.0
        self._fill(band, whole, sign, sign * np.float32(glow))
        self._letters(band, left, unit, word, letters, glow)
        under = (y <= top + 0.05) & (y > top - 0.1)
        place = np.ix_(np.flatnonzero(under), np.flatnonzero(whole))
        self.albedo[place] *= 0.5
        self.glow[place] *= 0.6

    def _word(self) -> str:
        return "".join(self.stream.choice(tuple(GLYPHS)) for _ in range(self.stream.integer(4, 9)))

    def _letters(self, band: Array, left: float, unit: float, word: str, colour: Array, glow: float) -> None:
        rows = np.flatnonzero(band)
        columns = np.flatnonzero((self.t > left + unit * 0.14) & (self.t < left + unit * 0.86))
        if rows.size < 5 or columns.size < 2 * len(word):
            return
        # Enlarged smoothly and cut at the half, the dots join to round strokes
        large = cv2.resize(lettering(word), None, fx=8.0, fy=8.0, interpolation=cv2.INTER_CUBIC)
        strokes = np.clip((large - np.float32(0.4)) * np.float32(4.0) + np.float32(0.5), 0.0, 1.0)
        shrunk = cv2.resize(strokes, (columns.size, rows.size), interpolation=cv2.INTER_AREA)
        part = shrunk[:, :, None]
        place = np.ix_(rows, columns)
        pale = np.where(self.albedo[place].mean(axis=(0, 1)) > 0.3, colour * 0.2, rgb(0.85, 0.84, 0.8))
        self.albedo[place] += (pale - self.albedo[place]) * part
        self.glow[place] += (pale * glow * 2.2 - self.glow[place]) * part

    def _cornice(self) -> None:
        style, y, t = self.style, self.y, self.t
        deep = style.cornice
        rows = np.flatnonzero(y > self.height - deep)
        stripes = 0.75 + 0.35 * ((self.height - y[rows]) % 0.2 > 0.08)
        self.albedo[rows] = style.trim * stripes[:, None, None] * np.ones((1, t.size, 1), np.float32)
        self.glow[rows] = 0.0
        under = (y <= self.height - deep) & (y > self.height - deep - 0.3)
        self.albedo[under] *= 0.6
        self.glow[under] *= 0.7
        joint = np.abs(y - self.ground) < 0.12
        if joint.any():
            self.albedo[joint] = style.trim * np.float32(0.85)
            self.glow[joint] = 0.0
