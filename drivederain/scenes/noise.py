"""Tileable noise textures, made once in a process from fixed seeds, and looked up by world position."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from .arrays import Array
from .streams import Stage, Stream

TILE = 512
_REACH = 30000.0  # cv2.remap keeps whole coordinates in 16 bits


@cache
def tile(exponent: float, item: int = 0) -> Array:
    """A TILE x TILE texture of amplitude spectrum 1 / f ** exponent, mean 0 and deviation 1, float32.

    0 is white, 1 is like the spectrum of natural images, 1.7 and more is cloudy. The texture wraps round.
    """
    white = Stream(0, item, Stage.NOISE_TILES, round(exponent * 1000)).array(TILE, TILE).astype(np.float64) - 0.5
    rows = np.fft.fftfreq(TILE)[:, None]
    columns = np.fft.rfftfreq(TILE)[None, :]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(white) * frequency**-exponent
    spectrum[0, 0] = 0.0
    texture = np.fft.irfft2(spectrum, s=(TILE, TILE))
    scaled: Array = (texture / texture.std()).astype(np.float32)
    return scaled


@cache
def cracks() -> Array:
    """A TILE x TILE texture of thin winding lines, 1 on a line and 0 off it, in patches, float32."""
    lines = np.exp(-((tile(1.9, 3) / 0.022) ** 2)) + np.exp(-((tile(1.8, 4) / 0.02) ** 2))
    patches = np.clip(tile(1.7, 5) * 1.2 - 0.1, 0.0, 1.0)
    return np.clip(lines * patches, 0.0, 1.0).astype(np.float32)


def look_up(texture: Array, x: Array, y: Array, texel: float, shift: tuple[float, float] = (0.0, 0.0)) -> Array:
    """The texture at world positions ``x``, ``y`` (metres, same shape), one texel ``texel`` metres wide."""
    size = texture.shape[0]
    scale = np.float32(1.0 / texel)
    map_x = np.clip(x * scale + np.float32(shift[0] * size), -_REACH, _REACH).astype(np.float32, copy=False)
    map_y = np.clip(y * scale + np.float32(shift[1] * size), -_REACH, _REACH).astype(np.float32, copy=False)
    found: Array = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return found


def look_up_grid(texture: Array, x: Array, y: Array, texel: float, shift: tuple[float, float] = (0.0, 0.0)) -> Array:
    """The texture at every pair of a column position ``x`` (n) and a row position ``y`` (m), shape m x n, nearest."""
    size = texture.shape[0]
    columns = np.floor(x / texel + shift[0] * size).astype(np.int64) % size
    rows = np.floor(y / texel + shift[1] * size).astype(np.int64) % size
    return texture[np.ix_(rows, columns)]


def smooth_step(low: float, high: float, value: Array) -> Array:
    """0 below ``low``, 1 above ``high``, a cubic in between."""
    t = np.clip((value - np.float32(low)) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    eased: Array = t * t * (np.float32(3.0) - np.float32(2.0) * t)
    return eased
