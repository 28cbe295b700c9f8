from __future__ import annotations

import math

import numpy as np
import pytest

from drivederain.results.against_reference import against_reference, worst_mean
from drivederain.results.statistics import ScoreMatrix


def matrix(**columns: list[float]) -> ScoreMatrix:
    values = np.array(list(columns.values())).T
    return ScoreMatrix(values, [str(n) for n in range(len(values))], np.arange(len(values)), list(columns))


def test_each_method_is_compared_on_the_pictures_that_it_shares_with_the_reference() -> None:
    nan = math.nan
    base = [20.0, 21, 22, 23, 24, 25, 26, 27, 28, 29]
    scores = matrix(identity=base, a=[value + 1 for value in base], b=[nan] * 3 + [value - 2 for value in base[3:]])
    a, b = against_reference(scores, "identity", ["identity", "a", "b", "missing"], 1, ("d",))
    assert (a.method, a.gain.mean, a.gain.finite, a.of) == ("a", 1.0, 10, 10)
    assert (b.gain.mean, b.gain.finite, b.of) == (-2.0, 7, 10)
    assert a.p == 2 / 2**10
    assert b.p == 2 / 2**7
    assert (a.adjusted, b.adjusted) == (2 * a.p, b.p)
    assert (a.wins.mean, b.wins.mean) == (1.0, 0.0)


def test_lower_is_better_turns_gains_and_worst() -> None:
    (a,) = against_reference(matrix(x=[0.5] * 8, a=[0.1] * 7 + [0.9]), "x", ["a"], -1, ("d",))
    assert a.gain.mean == pytest.approx(0.3)
    assert a.wins.mean == 7 / 8
    assert 0 <= a.wins.low < a.wins.high <= 1
    assert (a.worst, a.worst_images) == (0.9, 1)


def test_worst_five_percent() -> None:
    assert worst_mean(np.arange(100.0), 1) == (2.0, 5)
    assert worst_mean(np.arange(100.0), -1) == (97.0, 5)
    assert worst_mean(np.array([3.0, math.inf]), 1) == (3.0, 1)
    worst, count = worst_mean(np.array([math.nan]), 1)
    assert math.isnan(worst)
    assert count == 0


def test_a_reference_without_scores_has_nothing_to_compare() -> None:
    (a,) = against_reference(matrix(a=[1.0, 2.0]), "identity", ["a"], 1, ("d",))
    assert math.isnan(a.p)
    assert a.gain.finite == 0
