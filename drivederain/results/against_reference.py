"""Every method of a stratum against one reference, picture by picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivederain.results.intervals import Estimate, estimates_of
from drivederain.results.paired_tests import holm, sign_flip_p, smallest_detectable, win_shares
from drivederain.results.statistics import ScoreMatrix

WORST = 0.05
"""The share of pictures that ``worst_mean`` is over."""


@dataclass(frozen=True)
class AgainstReference:
    """One method against the reference, on the pictures of which both have a finite score."""

    method: str
    gain: Estimate
    """The mean difference, above zero where the method is better, whatever the metric's direction."""
    p: float
    """Two-sided, of the paired test; NaN without a picture in common."""
    adjusted: float
    """``p`` adjusted for all methods that are compared with the reference here (Holm)."""
    wins: Estimate
    """The share of pictures on which the method is better, equal ones counted half; its interval is within 0 and 1."""
    detectable: float
    """The smallest mean difference that these pictures would show with a probability of .8, NaN with one scene."""
    of: int
    """Pictures of the stratum."""
    worst: float
    """The mean of the method's worst scores, NaN without any."""
    worst_images: int
    """How many those are: 5 % of its pictures, at least one."""


def against_reference(
    matrix: ScoreMatrix, reference: str, methods: Sequence[str], sign: int, names: Sequence[str]
) -> list[AgainstReference]:
    """Compare each of ``methods`` with ``reference``, in their order; those without a score are left out.

    Args:
        matrix: ``statistics.score_matrix`` of the stratum.
        sign: 1 where higher is better, -1 where lower is.
        names: decide the seeds: data set, source of the intensity, intensity.
    """
    chosen = [name for name in methods if name != reference and not np.isnan(matrix.of(name)).all()]
    if not chosen:
        return []
    finite = {name: _finite(matrix.of(name)) for name in (reference, *chosen)}
    gains = np.stack([sign * (finite[name] - finite[reference]) for name in chosen], axis=1)
    means = estimates_of(gains, matrix.scenes, names)
    wins = estimates_of(win_shares(gains), matrix.scenes, names)
    raw = sign_flip_p(gains, matrix.scenes, names).tolist()
    detectable = smallest_detectable(gains, matrix.scenes)
    found = []
    for place, (name, adjusted) in enumerate(zip(chosen, holm(raw), strict=True)):
        worst, count = worst_mean(matrix.of(name), sign)
        found.append(
            AgainstReference(
                name,
                means[place],
                raw[place],
                adjusted,
                _within(wins[place], 0.0, 1.0),
                float(detectable[place]),
                len(matrix.images),
                worst,
                count,
            )
        )
    return found


def worst_mean(scores: NDArray[np.float64], sign: int) -> tuple[float, int]:
    """The mean of the worst 5 % of n scores (rounded up to whole pictures), and how many those are.

    NaN marks what is missing; a mean with an infinite score in it is infinite.
    """
    there = np.sort(sign * scores[~np.isnan(scores)])
    count = math.ceil(WORST * len(there))
    return (float(sign * there[:count].mean()), count) if count else (math.nan, 0)


def _within(estimate: Estimate, low: float, high: float) -> Estimate:
    return Estimate(
        estimate.mean,
        min(max(estimate.low, low), high) if not math.isnan(estimate.low) else math.nan,
        max(min(estimate.high, high), low) if not math.isnan(estimate.high) else math.nan,
        estimate.n,
        estimate.finite,
        estimate.scenes,
    )


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)
