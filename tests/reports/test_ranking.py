from __future__ import annotations

import math

import numpy as np
import pytest

from drivederain.results.statistics import ScoreMatrix
from drivederain_reports.ranking import Stratum, rank
from drivederain_reports.run_about import MetricAbout

PSNR = MetricAbout(name="psnr", variant="rgb", direction="higher", unit="dB")
LPIPS = MetricAbout(name="lpips", variant="alex", direction="lower", decimals=4)
STRATUM = Stratum("d", "recorded", "light")


def matrix(**columns: list[float]) -> ScoreMatrix:
    values = np.array(list(columns.values())).T
    return ScoreMatrix(values, [str(n) for n in range(len(values))], np.arange(len(values)), list(columns))


def test_lower_is_better_turns_order_and_signs() -> None:
    noise = np.random.Generator(np.random.PCG64(1)).normal(0, 0.02, (3, 12))
    first = {
        name: (level + noise[n]).tolist() for n, (name, level) in enumerate([("identity", 0.5), ("a", 0.1), ("b", 0.3)])
    }
    ranking = rank(matrix(**first), STRATUM, LPIPS, ["identity", "b", "a"])
    assert ranking.order == ("a", "b")
    assert ranking.gain is not None
    assert ranking.gain.mean == pytest.approx(0.4, abs=0.02)
    assert 0 < ranking.gain.low <= ranking.gain.mean <= ranking.gain.high
    assert ranking.leads["b"].mean == pytest.approx(0.2, abs=0.02)
    assert not ranking.level_with_best("b")
    assert ranking.ranks == {"a": 1, "b": 2}
    assert ranking.p["a", "b"] == 2 / 2**12
    assert 0 < ranking.detectable["b"] < 0.05


def test_a_difference_that_may_be_zero_is_a_tie() -> None:
    ranking = rank(matrix(identity=[1.0] * 4, a=[5.0, 6, 5, 6], b=[6.0, 5, 6, 4.5]), STRATUM, PSNR, ["a", "b"])
    assert ranking.order == ("a", "b")
    assert ranking.level_with_best("b")
    assert ranking.ranks == {"a": 1, "b": 1}


def test_p_values_are_adjusted_for_all_pairs_of_methods() -> None:
    """Eight scenes, all better: p = 2 / 2^8 = .0078, which is told apart among three methods and not among five."""
    scores = {name: [20.0 + number + 0.1 * scene for scene in range(8)] for number, name in enumerate("abcde")}
    three = rank(matrix(**{name: scores[name] for name in "abc"}), STRATUM, PSNR, list("abc"))
    assert three.groups == (("c",), ("b",), ("a",))
    assert three.p["c", "b"] == pytest.approx(3 * 2 / 2**8)
    five = rank(matrix(**scores), STRATUM, PSNR, list("abcde"))
    assert five.groups == (("e", "d", "c", "b", "a"),)


def test_a_method_that_lacks_pictures_is_left_out_and_a_small_gap_is_compared_on_common_ones() -> None:
    nan = math.nan
    scores = matrix(identity=[1.0] * 10, a=[5.0] * 9 + [nan], b=[4.0] * 9 + [99.0], c=[9.0] * 3 + [nan] * 7)
    ranking = rank(scores, STRATUM, PSNR, ["a", "b", "c"])
    assert ranking.order == ("a", "b")  # on the nine pictures that both have, b's 99 does not count
    assert (ranking.n, ranking.of) == (9, 10)
    assert ranking.left_out == (("c", 3),)


def test_a_method_that_is_always_perfect_comes_first() -> None:
    ranking = rank(matrix(identity=[20.0, 21], a=[30.0, 31], b=[math.inf, math.inf]), STRATUM, PSNR, ["a", "b"])
    assert ranking.order == ("b", "a")
    assert ranking.means["b"] == math.inf
    assert ranking.gain is None


def test_nothing_to_rank() -> None:
    assert rank(matrix(identity=[20.0, 21]), STRATUM, PSNR, ["identity", "a"]).best is None
