"""Rain drawn over a clear picture, and its drop mask. Drawn once, then cached.

Their fingerprints are known without drawing, so that a second run knows that nothing has to be drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivederain.data.fingerprint import fingerprint_of
from drivederain.data.input_cache import CachedDrawing, Drawing
from drivederain.data.sample import Picture, RainFacts
from drivederain.rain import GENERATOR_VERSION, draw_rain
from drivederain.specs import Intensity


def facts_of(parameters: Mapping[str, Any]) -> RainFacts:
    """How much it rains by what was recorded of a drawing (``RainParameters``); ``None`` for what is not in it."""
    rate, coverage = parameters.get("rain_rate_mm_h"), parameters.get("coverage_soft_01")
    return RainFacts(None if rate is None else float(rate), None if coverage is None else float(coverage))


def eight_bit_mask(soft: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A soft mask in [0, 1] as 8 bit, 255: drop."""
    return np.rint(np.clip(soft, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class RainDrawing:
    """Rain of one intensity over one clear picture. ``key`` names the picture in the generator's seeds."""

    clear: Picture
    seed: int
    key: str
    intensity: Intensity
    cache: Path

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of("rain", GENERATOR_VERSION, self.clear.fingerprint, self.seed, self.key, self.intensity)

    def known(self) -> Mapping[str, Any]:
        """What is known of the rain without drawing it."""
        return {
            "generator_version": GENERATOR_VERSION,
            "seed": self.seed,
            "key": self.key,
            "intensity": self.intensity,
        }

    def parameters(self) -> Mapping[str, Any]:
        """All that was drawn (``drivederain.rain.RainParameters.as_dict``)."""
        return self._entry().parameters(self._draw)

    def facts(self) -> RainFacts:
        """How much it rains."""
        return facts_of(self.parameters())

    def picture(self, file: str) -> NDArray[np.uint8]:
        """``rainy.png`` (H x W x 3) or ``mask.png`` (H x W)."""
        return self._entry().picture(file, self._draw)

    def _entry(self) -> CachedDrawing:
        return CachedDrawing(self.cache, self.fingerprint)

    def _draw(self) -> Drawing:
        result = draw_rain(self.clear.load(), seed=self.seed, key=self.key, intensity=self.intensity)
        pictures = {"rainy.png": result.rainy, "mask.png": eight_bit_mask(result.soft)}
        return Drawing(pictures, result.parameters.as_dict())


@dataclass(frozen=True)
class RainPicture:
    """The rainy picture of a drawing."""

    drawing: RainDrawing

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of("rainy", self.drawing.fingerprint)

    def load(self) -> NDArray[np.uint8]:
        return self.drawing.picture("rainy.png")


@dataclass(frozen=True)
class RainMask:
    """The soft drop mask of a drawing."""

    drawing: RainDrawing

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of("rain mask", self.drawing.fingerprint)

    def load(self) -> NDArray[np.uint8]:
        return self.drawing.picture("mask.png")
