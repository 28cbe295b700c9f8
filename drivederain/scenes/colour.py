"""Colours in linear light: the sRGB transfer function and the palettes of the scenes."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .streams import Stream

Srgb = tuple[int, int, int]

WALLS: tuple[Srgb, ...] = (
    (214, 196, 164), (226, 214, 190), (188, 132, 104), (150, 86, 70), (120, 72, 60), (206, 176, 122), (170, 176, 172),
    (196, 200, 196), (146, 154, 162), (222, 184, 150), (176, 148, 120), (132, 120, 108), (200, 152, 132),
    (232, 226, 214), (160, 170, 150), (186, 190, 206), (112, 104, 100), (208, 140, 96), (236, 214, 160), (150, 60, 52),
)  # fmt: skip
TRIMS: tuple[Srgb, ...] = ((236, 232, 224), (210, 204, 192), (90, 84, 78), (60, 58, 60), (180, 168, 150))
ROOFS: tuple[Srgb, ...] = ((140, 72, 52), (112, 62, 50), (84, 84, 90), (70, 66, 66), (128, 96, 78), (96, 52, 44))
DOORS: tuple[Srgb, ...] = ((96, 44, 32), (40, 64, 48), (36, 48, 84), (70, 50, 36), (130, 30, 30), (50, 50, 54))
SIGNS: tuple[Srgb, ...] = (
    (190, 30, 36), (24, 70, 150), (20, 110, 70), (230, 170, 20), (40, 40, 44), (236, 236, 232), (120, 40, 110),
    (230, 100, 20), (10, 130, 150),
)  # fmt: skip
PAINTS: tuple[Srgb, ...] = (
    (232, 232, 232), (206, 208, 210), (150, 154, 158), (92, 96, 100), (26, 27, 30), (40, 42, 48), (150, 22, 26),
    (24, 52, 116), (52, 100, 150), (30, 70, 56), (196, 180, 150), (214, 160, 30), (110, 30, 40), (60, 66, 72),
)  # fmt: skip
LEAVES: tuple[Srgb, ...] = (
    (72, 104, 40), (88, 118, 52), (60, 92, 46), (104, 124, 50), (52, 84, 44), (120, 130, 60), (176, 128, 44),
    (160, 92, 40),
)  # fmt: skip
CLOTHES: tuple[Srgb, ...] = (
    (40, 42, 50), (60, 60, 66), (120, 32, 36), (36, 60, 110), (150, 140, 120), (200, 196, 190), (70, 90, 60),
    (210, 170, 40), (24, 24, 26), (110, 80, 60),
)  # fmt: skip


def rgb(red: float, green: float, blue: float) -> Array:
    """A colour given in linear light, float32 of 3."""
    return np.array([red, green, blue], dtype=np.float32)


def linear(colour: Srgb) -> Array:
    """An sRGB colour of 8-bit levels as linear light in [0, 1], float32 of 3."""
    level = np.asarray(colour, dtype=np.float64) / 255.0
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encode(light: Array) -> Array:
    """Linear light (any shape, clipped to [0, 1]) as 8-bit sRGB levels (IEC 61966-2-1), by a table of 16384 steps."""
    position = np.clip(light * np.float32(16383.0) + np.float32(0.5), 0.0, 16383.0).astype(np.int32)
    levels: Array = _ENCODED[position]
    return levels


def _encoded_table() -> Array:
    light = np.arange(16384) / 16383.0
    level = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1.0 / 2.4) - 0.055)
    return np.rint(level * 255.0).astype(np.uint8)


_ENCODED = _encoded_table()


def varied(stream: Stream, palette: tuple[Srgb, ...], spread: float = 0.18) -> Array:
    """A colour of the palette in linear light, its brightness and each channel varied by a part ``spread``."""
    base = linear(stream.choice(palette))
    brightness = 1.0 + stream.uniform(-spread, spread)
    tint = np.array([1.0 + stream.uniform(-spread, spread) * 0.4 for _ in range(3)], dtype=np.float32)
    return np.clip(base * brightness * tint, 0.004, 0.9).astype(np.float32)
