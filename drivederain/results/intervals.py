"""Means with intervals, where pictures of one scene are not independent: scenes, not pictures, are resampled.

The interval is a bootstrap over scenes (cluster bootstrap: Davison and Hinkley, *Bootstrap Methods and their
Application*, 1997, section 3.8), 2,000 resamples. Plain percentiles are too narrow where there are few scenes: with 12
of them the 95 % interval holds the true mean in 90 % of cases. So the percentiles are taken further out, as far as
Student's t lies outside the normal distribution (the expanded percentile interval: Hesterberg, *What Teachers Should
Know About the Bootstrap*, The American Statistician 69, 2015). Below ``FEWEST`` scenes there are too few
different resamples for any percentile, and the interval is Student's t over scenes (Cameron and Miller, *A
Practitioner's Guide to Cluster-Robust Inference*, Journal of Human Resources 50, 2015), which needs two of them.

The seed comes from the names of the data set and intensity, so the same results give the same intervals, and all
methods and metrics of one stratum are resampled alike.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

RESAMPLES = 2000
LEVEL = 0.95
FEWEST = 6
"""Scenes for a bootstrap interval: of fewer, the lowest and the highest resample of all hold the true mean in less than
95 % of cases (1 - 2 / 2^n)."""

_CHUNK = 500_000
"""Resampled counts handled at once as floating-point numbers (4 MB)."""
_COLUMNS = 64
"""Means with intervals made at once."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval. ``low`` and ``high`` are NaN with fewer than two scenes."""

    mean: float
    """Over the finite values; ``inf`` when there are values and none is finite; NaN without values."""
    low: float
    high: float
    n: int
    """Values, infinite ones included."""
    finite: int
    scenes: int
    """Scenes with a finite value."""

    @property
    def tells_apart(self) -> bool:
        """For a difference: the interval is there and leaves out zero."""
        return self.low > 0 or self.high < 0


def seed_of(*names: str) -> np.random.SeedSequence:
    """The seed that belongs to ``names``; their order counts."""
    digest = hashlib.sha256("\x1f".join(names).encode("utf-8", "surrogatepass")).digest()
    return np.random.SeedSequence(int.from_bytes(digest, "big"))


def clustered_intervals(
    values: NDArray[np.float64],
    scenes: Sequence[str],
    names: Sequence[str],
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intervals of column means: a bootstrap that resamples scenes, Student's t over scenes where they are few.

    Args:
        values: n x m, one row a picture, one column a mean; what is not finite is left out of its column.
        scenes: the scene of each of the n pictures.
        names: decide the seed.

    Returns:
        The lower and the upper ends, m each; NaN for columns with finite values in fewer than two scenes.
    """
    sums, counts = sums_by_scene(values, codes_of(scenes)[0])
    return _intervals(sums, counts, names, resamples, level)


def sums_by_scene(
    values: NDArray[np.float64], scenes: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums and counts of the finite values, k scenes x m, from n x m values and the number of each picture's scene."""
    if len(scenes) != len(values):
        raise ValueError(f"{len(values)} rows of values, but {len(scenes)} scenes")
    if not len(values):
        return np.zeros((0, values.shape[1])), np.zeros((0, values.shape[1]))
    order = np.argsort(scenes, kind="stable")
    starts = np.flatnonzero(np.diff(scenes[order], prepend=-1))
    finite = np.isfinite(values[order])
    sums = np.add.reduceat(np.where(finite, values[order], 0.0), starts, axis=0)
    return sums, np.add.reduceat(finite.astype(np.float64), starts, axis=0)


def _intervals(
    sums: NDArray[np.float64], counts: NDArray[np.float64], names: Sequence[str], resamples: int, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    columns = sums.shape[1]
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    # Columns that lack other scenes are resampled from the scenes that they have.
    alike: dict[bytes, list[int]] = {}
    for column, pattern in enumerate(np.packbits(counts > 0, axis=0).T):
        alike.setdefault(pattern.tobytes(), []).append(column)
    for chosen in alike.values():
        present = np.flatnonzero(counts[:, chosen[0]])
        if len(present) < 2:
            continue
        own = sums[present][:, chosen], counts[present][:, chosen]
        if len(present) < FEWEST:
            means, errors = own[0].sum(axis=0) / own[1].sum(axis=0), standard_errors(*own)
            reach = float(stdtrit(len(present) - 1, (1 + level) / 2)) * errors
            low[chosen], high[chosen] = means - reach, means + reach
        else:
            tail = _expanded_tail(len(present), level)
            means = _resampled_means(*own, names, resamples)
            low[chosen], high[chosen] = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def _expanded_tail(scenes: int, level: float) -> float:
    """What a percentile interval leaves out at each end, so that it is as wide as Student's t with so many scenes."""
    reach = math.sqrt(scenes / (scenes - 1)) * float(stdtrit(scenes - 1, (1 + level) / 2))
    return float(ndtr(-reach))


def standard_errors(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of m means of pictures, from k x m sums and counts by scene: robust to whatever pictures of a scene share.

    A scene without values in a column counts as no scene there. NaN with fewer than two.
    """
    totals, scenes = counts.sum(axis=0), (counts > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = ((sums - sums.sum(axis=0) / totals * counts) ** 2).sum(axis=0)
        errors: NDArray[np.float64] = np.sqrt(np.where(scenes > 1, scenes / (scenes - 1), np.nan) * spread) / totals
    return errors


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], names: Sequence[str], resamples: int
) -> NDArray[np.float64]:
    """resamples x m means over scenes drawn with replacement from k x m sums and counts."""
    drawn = _drawn(len(sums), tuple(names), resamples)
    means = np.empty((resamples, sums.shape[1]))
    step = max(1, _CHUNK // len(sums))
    for start in range(0, resamples, step):
        weights = drawn[start : start + step].astype(np.float64)
        means[start : start + step] = (weights @ sums) / (weights @ counts)
    return means


@lru_cache(maxsize=2)
def _drawn(scenes: int, names: tuple[str, ...], resamples: int) -> NDArray[np.uint8]:
    """How often each resample drew each scene, resamples x scenes; the scores of one stratum are resampled alike."""
    generator = np.random.Generator(np.random.PCG64(seed_of("bootstrap", *names)))
    times = np.empty((resamples, scenes), dtype=np.uint8)
    step = max(1, _CHUNK // scenes)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        places = (generator.random((size, scenes)) * scenes).astype(np.int64) + (np.arange(size) * scenes)[:, None]
        counts = np.bincount(places.ravel(), minlength=size * scenes).reshape(size, scenes)
        assert counts.max() < 256, "a count of mean 1 and about Poisson's spread: 256 has a probability below 1e-500"
        times[start : start + size] = counts
    times.flags.writeable = False
    return times


def estimates(values: NDArray[np.float64], scenes: Sequence[str], names: Sequence[str]) -> list[Estimate]:
    """One ``Estimate`` for each column of n x m ``values``; NaN marks what is missing, ``inf`` is a value."""
    return estimates_of(values, codes_of(scenes)[0], names)


def estimates_of(values: NDArray[np.float64], scenes: NDArray[np.intp], names: Sequence[str]) -> list[Estimate]:
    """``estimates`` of pictures whose scenes have numbers."""
    found: list[Estimate] = []
    for start in range(0, values.shape[1], _COLUMNS):
        block = values[:, start : start + _COLUMNS]
        sums, counts = sums_by_scene(block, scenes)
        low, high = _intervals(sums, counts, names, RESAMPLES, LEVEL)
        there, finite = (~np.isnan(block)).sum(axis=0), counts.sum(axis=0).astype(int)
        for column in range(block.shape[1]):
            if finite[column]:
                mean = float(sums[:, column].sum() / finite[column])
            else:
                infinite = block[~np.isnan(block[:, column]), column]
                mean = float(infinite[0]) if len(infinite) else float("nan")
            found.append(
                Estimate(
                    mean,
                    float(low[column]),
                    float(high[column]),
                    int(there[column]),
                    int(finite[column]),
                    int((counts[:, column] > 0).sum()),
                )
            )
    return found


def codes_of(values: Iterable[Any]) -> tuple[NDArray[np.intp], list[str]]:
    """The place of each value among the distinct ones, which are sorted and follow; quick for categories."""
    import pandas as pd

    categories = pd.Series(values).astype("category").array
    codes = np.asarray(categories.codes)
    present = np.flatnonzero(np.bincount(codes, minlength=len(categories.categories)))
    names = [str(name) for name in categories.categories[present].to_numpy(dtype=object)]
    order = list(range(len(names)))
    if not categories.categories.is_monotonic_increasing:
        order.sort(key=names.__getitem__)
    places = np.zeros(len(categories.categories) or 1, dtype=np.intp)
    places[present[order]] = np.arange(len(order))
    return places[codes], [names[place] for place in order]
