"""Which method is best in a stratum, by how much, and whether that is more than noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivederain.results.intervals import Estimate
from drivederain.results.statistics import REFERENCE, ScoreMatrix, paired_differences
from drivederain_reports.run_about import MetricAbout

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


def rank(matrix: ScoreMatrix, stratum: Stratum, metric: MetricAbout, methods: Sequence[str]) -> Ranking:
    """Rank ``methods`` by their mean over the pictures for which all that take part have a finite score.

    ``matrix`` is the stratum's ``statistics.score_matrix``. A method all of whose scores are ``inf`` comes first.
    """
    images = len(matrix.images)
    scores = {name: matrix.of(name) for name in methods if name != REFERENCE}
    have = {name: int((~np.isnan(values)).sum()) for name, values in scores.items()}
    taking_part = [name for name in scores if have[name] and have[name] >= COVERAGE * images]
    left_out = tuple((name, have[name]) for name in scores if name not in taking_part)
    perfect = [name for name in taking_part if np.isposinf(scores[name][~np.isnan(scores[name])]).all()]
    compared = [name for name in taking_part if name not in perfect]
    reference = np.isfinite(matrix.of(REFERENCE))
    common = matrix.rows(
        np.all([*(np.isfinite(scores[name]) for name in compared), reference | ~reference.any()], axis=0)
    )
    means = {name: float(common.of(name).mean()) for name in compared if common.images} | dict.fromkeys(
        perfect, math.inf
    )
    if not common.images or not taking_part:
        return Ranking(stratum, metric, (), {}, 0, images, None, {}, left_out)
    order = [*perfect, *sorted(compared, key=lambda name: (-metric.sign * means[name], methods.index(name)))]
    gain, leads = None, {}
    if order[0] in compared:
        others = [*order[1:], REFERENCE] if reference.any() else order[1:]
        found = paired_differences(common, order[0], others, stratum.names)
        leads = {name: towards_better(estimate, metric) for name, estimate in found.items()}
        gain = leads.pop(REFERENCE, None)
    return Ranking(stratum, metric, tuple(order), means, len(common.images), images, gain, leads, left_out)


def towards_better(difference: Estimate, metric: MetricAbout) -> Estimate:
    """``difference`` with its sign turned, where lower is better, so that above zero is an improvement."""
    if metric.sign > 0:
        return difference
    return Estimate(
        -difference.mean, -difference.high, -difference.low, difference.n, difference.finite, difference.scenes
    )
