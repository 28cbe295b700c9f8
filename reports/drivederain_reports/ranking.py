"""Which method is best in a stratum, by how much, and whether that is more than noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drivederain.results.statistics import REFERENCE, Estimate, paired_differences
from drivederain_reports.run_about import MetricAbout

if TYPE_CHECKING:
    import pandas as pd

COVERAGE = 0.8
"""A method takes part in the ranking with scores for at least this share of the pictures."""


@dataclass(frozen=True)
class Stratum:
    """Pictures that may be averaged: one data set, one source of the intensity, one intensity or ``all``."""

    dataset: str
    source: str
    intensity: str

    @property
    def names(self) -> tuple[str, str, str]:
        """What decides the bootstrap's seed, in the order of ``statistics.STRATUM``."""
        return (self.dataset, self.source, self.intensity)


@dataclass(frozen=True)
class Ranking:
    """The methods of a stratum by one metric, best first, on the pictures that all of them have."""

    stratum: Stratum
    metric: MetricAbout
    order: tuple[str, ...]
    """Without the rainy input."""
    means: dict[str, float]
    n: int
    """Pictures compared."""
    of: int
    """Pictures of the stratum."""
    gain: Estimate | None
    """The best method over the rainy input; above zero is better whatever the metric's direction."""
    leads: dict[str, Estimate]
    """The best method over each other one; above zero is better."""
    left_out: tuple[tuple[str, int], ...]
    """Methods with too few scores, and how many they have."""

    @property
    def best(self) -> str | None:
        return self.order[0] if self.order else None

    @property
    def runner_up(self) -> str | None:
        return self.order[1] if len(self.order) > 1 else None

    def level_with_best(self, method: str) -> bool:
        """``method`` and the best one cannot be told apart."""
        return method in self.leads and not self.leads[method].tells_apart


def rank(matrix: pd.DataFrame, stratum: Stratum, metric: MetricAbout, methods: Sequence[str]) -> Ranking:
    """Rank ``methods`` by their mean over the pictures for which all that take part have a finite score.

    ``matrix`` is the stratum's ``statistics.score_matrix``. A method all of whose
    scores are ``inf`` comes first.
    """
    candidates = [name for name in methods if name != REFERENCE and name in matrix]
    have = {name: int(matrix[name].notna().sum()) for name in candidates}
    taking_part = [name for name in candidates if have[name] >= COVERAGE * len(matrix)]
    left_out = tuple((name, have.get(name, 0)) for name in methods if name != REFERENCE and name not in taking_part)
    perfect = [name for name in taking_part if np.isposinf(matrix[name].dropna()).all()]
    compared = [name for name in taking_part if name not in perfect]
    with_reference = (
        [*compared, REFERENCE] if REFERENCE in matrix and np.isfinite(matrix[REFERENCE]).any() else compared
    )
    common = matrix[np.isfinite(matrix[with_reference]).all(axis=1)] if with_reference else matrix
    means = {name: float(common[name].mean()) for name in compared} | dict.fromkeys(perfect, math.inf)
    if not len(common) or not taking_part:
        return Ranking(stratum, metric, (), {}, 0, len(matrix), None, {}, left_out)
    order = [*perfect, *sorted(compared, key=lambda name: (-metric.sign * means[name], methods.index(name)))]
    gain, leads = None, {}
    if order[0] in compared:
        others = [*order[1:], REFERENCE] if REFERENCE in with_reference else order[1:]
        found = paired_differences(common, order[0], others, stratum.names)
        leads = {name: towards_better(estimate, metric) for name, estimate in found.items()}
        gain = leads.pop(REFERENCE, None)
    return Ranking(stratum, metric, tuple(order), means, len(common), len(matrix), gain, leads, left_out)


def towards_better(difference: Estimate, metric: MetricAbout) -> Estimate:
    """``difference`` with its sign turned, where lower is better, so that above zero is an improvement."""
    if metric.sign > 0:
        return difference
    return Estimate(
        -difference.mean, -difference.high, -difference.low, difference.n, difference.finite, difference.scenes
    )
