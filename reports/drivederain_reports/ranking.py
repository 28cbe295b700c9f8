"""Which methods are best in a stratum, by how much, and whether that is more than noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from drivederain.results.intervals import Estimate
from drivederain.results.paired_tests import holm, pairwise_p, smallest_detectable
from drivederain.results.statistics import REFERENCE, ScoreMatrix, paired_differences
from drivederain.results.tie_groups import shared_ranks, tie_groups
from drivederain_reports.run_about import MetricAbout

COVERAGE = 0.8
"""A method takes part in the ranking with scores for at least this share of the pictures."""
LIKELY = 0.05
"""Two methods are told apart by an adjusted p value of at most this."""


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
    groups: tuple[tuple[str, ...], ...]
    """``order`` in groups that share a rank, since the data cannot tell them from the group's first."""
    p: dict[tuple[str, str], float]
    """Of the difference between two methods, either way round, adjusted for all pairs of them (Holm)."""
    detectable: dict[str, float]
    """The smallest lead of the best method over each other one that these pictures would show (power .8)."""
    left_out: tuple[tuple[str, int], ...]
    """Methods with too few scores, and how many they have."""

    @property
    def best(self) -> str | None:
        return self.order[0] if self.order else None

    @property
    def runner_up(self) -> str | None:
        return self.order[1] if len(self.order) > 1 else None

    @property
    def ranks(self) -> dict[str, int]:
        return shared_ranks(self.groups)

    def above(self, one: str, other: str) -> bool:
        """``one`` has the better mean, and the two are told apart."""
        return self.order.index(one) < self.order.index(other) and self.p.get((one, other), 0.0) <= LIKELY

    def level_with_best(self, method: str) -> bool:
        """``method`` is not the best one, but shares its rank."""
        return bool(self.groups) and method in self.groups[0][1:]


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
    if not taking_part or (compared and not common.images):
        return Ranking(stratum, metric, (), {}, 0, images, None, {}, (), {}, {}, left_out)
    compared.sort(key=lambda name: (-metric.sign * means[name], methods.index(name)))
    adjusted = _adjusted(common, compared, stratum)
    groups = tie_groups(compared, lambda one, other: adjusted[one, other] <= LIKELY)
    gain, leads, detectable = None, {}, {}
    if not perfect:
        best, others = compared[0], compared[1:]
        found = paired_differences(common, best, [*others, REFERENCE] if reference.any() else others, stratum.names)
        leads = {name: towards_better(estimate, metric) for name, estimate in found.items()}
        gain = leads.pop(REFERENCE, None)
        if others:
            beside = np.stack([common.of(best) - common.of(name) for name in others], axis=1)
            detectable = dict(zip(others, map(float, smallest_detectable(beside, common.scenes)), strict=True))
    return Ranking(
        stratum,
        metric,
        (*perfect, *compared),
        means,
        len(common.images),
        images,
        gain,
        leads,
        (*([tuple(perfect)] if perfect else []), *groups),
        adjusted,
        detectable,
        left_out,
    )


def _adjusted(common: ScoreMatrix, compared: Sequence[str], stratum: Stratum) -> dict[tuple[str, str], float]:
    """P values of all pairs of methods, both ways round, adjusted together."""
    if len(compared) < 2:
        return {}
    scores = np.stack([common.of(name) for name in compared], axis=1)
    raw = pairwise_p(scores, common.scenes, stratum.names)
    found = {}
    for (one, other), value in zip(
        combinations(compared, 2), holm(raw[np.triu_indices(len(compared), 1)].tolist()), strict=True
    ):
        found[one, other] = found[other, one] = value
    return found


def towards_better(difference: Estimate, metric: MetricAbout) -> Estimate:
    """``difference`` with its sign turned, where lower is better, so that above zero is an improvement."""
    if metric.sign > 0:
        return difference
    return Estimate(
        -difference.mean, -difference.high, -difference.low, difference.n, difference.finite, difference.scenes
    )
