"""Windshield rain: draw out-of-focus drops, run-offs, haze and falling rain over a clear road photo.

>>> result = draw_rain(clear, seed=0, key="photo_0001", intensity="medium")
>>> result.rainy, result.soft, result.parameters.as_dict()
"""

from __future__ import annotations

from drivederain.rain.draw import RainResult, draw_rain
from drivederain.rain.errors import RainError
from drivederain.rain.intensity import INTENSITIES, Intensity
from drivederain.rain.parameters import GENERATOR_VERSION, RainParameters, clear_image_sha256
from drivederain.rain.settings import RainSettings

__all__ = [
    "GENERATOR_VERSION",
    "INTENSITIES",
    "Intensity",
    "RainError",
    "RainParameters",
    "RainResult",
    "RainSettings",
    "clear_image_sha256",
    "draw_rain",
]
