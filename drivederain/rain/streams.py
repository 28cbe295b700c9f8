"""Random numbers that stay the same: one stream a stage, and inverse CDFs over plain uniforms.

NumPy keeps `SeedSequence` and the bits of PCG64, but not the streams behind `poisson`, `normal` and the like (NEP 19),
so every distribution here is an inverse CDF of `random()`.
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from drivederain.rain.errors import RainError

_STANDARD_NORMAL = NormalDist()
_LEAST = 2.0**-54  # random() gives multiples of 2^-53 from 0, which has no finite normal quantile


class Stage(IntEnum):
    """The stages that draw random numbers. The numbers are part of the generator's version."""

    CONDITIONS = 0
    DROPS = 1
    RUN_OFFS = 2
    OUTLINES = 3
    STREAKS = 4


def stream(seed: int, key: str, stage: Stage) -> np.random.Generator:
    """The stream of one stage of one image: PCG64 on ``SeedSequence([seed, crc32(key), stage])``.

    Raises `RainError` for a seed that is negative or no integer.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise RainError(f"the rain seed must be an integer from 0 up, not {seed!r}")
    words = [int(seed), zlib.crc32(key.encode("utf-8")), int(stage)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def between(u: float, low: float, high: float) -> float:
    """Uniform on [low, high) from a uniform ``u`` on [0, 1)."""
    return low + (high - low) * u


def normal(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal values from uniforms, by Wichura's algorithm AS 241 (as `statistics.NormalDist.inv_cdf`)."""
    flat = np.fromiter(map(_STANDARD_NORMAL.inv_cdf, np.maximum(u, _LEAST).ravel().tolist()), np.float64, u.size)
    return flat.reshape(u.shape)


def poisson(u: float, mean: float) -> int:
    """The Poisson count of mean ``mean`` at the quantile ``u``.

    The probabilities are built from their ratios p(k)/p(k-1) = mean/k over mean +- 12 standard deviations, outside
    which less than 1e-30 lies, and normalised.
    """
    if mean <= 0:
        return 0
    reach = 12 * mean**0.5 + 20
    low = max(0, int(mean - reach))
    counts = np.arange(low, int(mean + reach) + 1)
    log_ratio = np.zeros(len(counts))
    log_ratio[1:] = np.cumsum(np.log(mean / counts[1:]))
    cdf = np.cumsum(np.exp(log_ratio - log_ratio.max()))
    return int(counts[min(int(np.searchsorted(cdf, u * cdf[-1], side="right")), len(counts) - 1)])


def discrete(u: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices drawn with probability in proportion to ``weights``, by inverse CDF."""
    cdf = np.cumsum(weights)
    return np.asarray(np.minimum(np.searchsorted(cdf, u * cdf[-1], side="right"), len(weights) - 1), np.intp)
