"""From light to picture: bloom, exposure, lens blur, vignette, Poisson-Gaussian noise, tone curve, sRGB levels."""

from __future__ import annotations

import cv2
import numpy as np

from .arrays import Array
from .colour import encode, rgb
from .parameters import SceneParameters
from .streams import Stage, Stream, standard_normal

_SHOT = 0.00013  # variance a unit of linear light adds, relative to full scale


def expose(light: Array, parameters: SceneParameters) -> Array:
    """The light (h x w x 3) as an 8-bit sRGB picture of parameters.height x parameters.width."""
    stream = Stream(parameters.seed, parameters.index, Stage.SENSOR)
    height, width = parameters.height, parameters.width
    luminance = light @ rgb(0.2126, 0.7152, 0.0722)
    gain = parameters.exposure / max(float(np.minimum(luminance, 1.2).mean()), 1e-4)
    gain = min(gain, 6.0)
    glowing = _bloom(light, 0.9 / gain, 0.05 if parameters.time_of_day == "day" else 0.14)
    blur = stream.uniform(0.0003, 0.0008) * light.shape[0]
    if blur > 0.3:
        glowing = cv2.GaussianBlur(glowing, (0, 0), blur)
    picture = cv2.resize(glowing, (width, height), interpolation=cv2.INTER_AREA) * np.float32(gain)
    x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2.0 - 1.0
    y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2.0 - 1.0
    fall = np.float32(stream.uniform(0.06, 0.2))
    picture *= (1.0 - fall * (x[None, :] ** 2 + y[:, None] ** 2))[:, :, None]
    picture *= rgb(1.0 + stream.uniform(-0.05, 0.05), 1.0, 1.0 + stream.uniform(-0.06, 0.06))
    spread = np.sqrt(np.float32(parameters.noise_sigma**2) + np.float32(_SHOT * _gain_noise(parameters)) * picture)
    picture += spread * standard_normal(stream.array(height, width, 3))
    return encode(_tone(np.maximum(picture, 0.0)))


def _gain_noise(parameters: SceneParameters) -> float:
    """How much more shot noise a dark exposure has, for fewer photons make the same level."""
    return {"day": 1.0, "dusk": 2.2, "night": 2.8}[parameters.time_of_day]


def _tone(light: Array) -> Array:
    """A straight line up to 0.6, then a shoulder that nears 1, as cameras have; one at infinity."""
    knee = np.float32(0.6)
    over = np.maximum(light - knee, 0.0)
    room = np.float32(1.0) - knee
    result: Array = np.minimum(light, knee) + room * over / (over + room)
    return result


def _bloom(light: Array, threshold: float, strength: float) -> Array:
    """Adds the glow of what is brighter than a threshold, blurred at three scales of the picture's height."""
    height, width = light.shape[:2]
    small = cv2.resize(light, (max(8, width // 4), max(8, height // 4)), interpolation=cv2.INTER_AREA)
    bright = np.clip(small - np.float32(threshold), 0.0, np.float32(12.0 * threshold))
    glow = np.zeros_like(bright)
    for sigma, weight in ((0.01, 0.6), (0.03, 0.27), (0.1, 0.13)):
        glow += np.float32(weight) * cv2.GaussianBlur(bright, (0, 0), max(0.4, sigma * bright.shape[0]))
    wide = cv2.resize(glow, (width, height), interpolation=cv2.INTER_LINEAR)
    result: Array = light + np.float32(strength * 3.0) * wide
    return result
