"""Random streams: uniform numbers from named streams, shaped by this project's own transforms.

Only ``Generator.random`` is used. NumPy keeps the stream of uniform doubles stable between releases, but not the
streams of its distributions.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from statistics import NormalDist
from typing import TypeVar

import numpy as np

from .arrays import Array

T = TypeVar("T")
_NORMAL = NormalDist()


class Stage(IntEnum):
    """What a stream is for; the number is part of the seed, so it never changes within a version."""

    PARAMETERS = 1
    BUILDINGS = 2
    TREES = 3
    VEHICLES = 4
    FURNITURE = 5
    PEDESTRIANS = 6
    SKY = 7
    ROAD = 8
    SENSOR = 9
    BARRIERS = 10
    NOISE_TILES = 11


class Stream:
    """One stream of uniform numbers, seeded by ``SeedSequence([seed, index, stage, item])``."""

    def __init__(self, seed: int, index: int, stage: Stage, item: int = 0) -> None:
        self._generator = np.random.default_rng(np.random.SeedSequence([seed, index, int(stage), item]))

    def unit(self) -> float:
        """A number in [0, 1)."""
        return float(self._generator.random())

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.unit()

    def chance(self, probability: float) -> bool:
        """True with the probability given."""
        return self.unit() < probability

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def choice(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[int(self.unit() * len(options))]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        """One of the options (option, weight)."""
        position = self.unit() * sum(weight for _, weight in options)
        for option, weight in options:
            position -= weight
            if position < 0.0:
                return option
        return options[-1][0]

    def normal(self, mean: float, deviation: float) -> float:
        """A normal number by the inverse distribution function."""
        return mean + deviation * _NORMAL.inv_cdf(min(max(self.unit(), 1e-9), 1.0 - 1e-9))

    def array(self, *shape: int) -> Array:
        """An array of numbers in [0, 1), float32."""
        return self._generator.random(shape).astype(np.float32)


def standard_normal(uniform: Array) -> Array:
    """Standard normal numbers from uniform ones in [0, 1), float32, by Acklam's inverse distribution function.

    Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function" (2003);
    relative error below 1.15e-9, here limited by float32.
    """
    probability = np.clip(uniform.astype(np.float32, copy=False), 1e-6, 1.0 - 1e-6).ravel()
    q = probability - np.float32(0.5)
    r = q * q
    a = np.array(
        [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716],
        dtype=np.float32,
    )
    b = np.array(
        [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572],
        dtype=np.float32,
    )
    top = ((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + np.float32(2.506628277459239)
    bottom = ((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + np.float32(1.0)
    result = top * q / bottom
    tail = np.flatnonzero(np.abs(q) > 0.47575)
    p = np.minimum(probability[tail], 1.0 - probability[tail])
    t = np.sqrt(-2.0 * np.log(p))
    c = (-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968)
    d = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416)
    top = ((((c[0] * t + c[1]) * t + c[2]) * t + c[3]) * t + c[4]) * t + 2.938163982698783
    bottom = (((d[0] * t + d[1]) * t + d[2]) * t + d[3]) * t + 1.0
    result[tail] = -np.sign(q[tail]) * top / bottom
    normal: Array = result.reshape(uniform.shape).astype(np.float32, copy=False)
    return normal
