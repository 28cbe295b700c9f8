"""Strengths against published examples, an independent fit, hand-made cases and simulated raters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from drivederain.results.bradley_terry import Comparison, log_strengths, strengths

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    dtype=float,
)
"""Wins of the 1987 American League, eastern division: Agresti, Categorical Data Analysis, table 10.10."""
BASEBALL_PUBLISHED = (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0)
"""Strengths over Baltimore's: Agresti, section 10.6, with the further digits of the manual of BradleyTerry2."""
CITED = np.array(
    [[0, 730, 498, 221], [33, 0, 68, 17], [320, 813, 0, 142], [284, 276, 325, 0]],
    dtype=float,
)
"""Citations of Biometrika, Communications in Statistics, JASA and JRSS-B by each other: Stigler, 1994."""
CITED_PUBLISHED = (0.0, -2.94907, -0.47957, 0.26895)
"""Strengths over Biometrika's, in the manual of BradleyTerry2 (Turner and Firth, 2012)."""


def independent_fit(wins: NDArray[np.float64], prior: float) -> NDArray[np.float64]:
    """The same likelihood, maximised by a general optimiser without derivatives of ours."""

    def loss(b: NDArray[np.float64]) -> float:
        pairs = (wins * np.logaddexp(0, b[None, :] - b[:, None])).sum()
        return float(pairs + prior * (np.logaddexp(0, -b) + np.logaddexp(0, b)).sum() + (prior == 0) * b.mean() ** 2)

    found = minimize(loss, np.zeros(len(wins)), method="BFGS", options={"gtol": 1e-8}).x
    return found - found.mean()


@pytest.mark.parametrize(
    ("wins", "published", "origin", "digits"),
    [(BASEBALL, BASEBALL_PUBLISHED, 6, 4), (CITED, CITED_PUBLISHED, 0, 5)],
    ids=["baseball", "citations"],
)
def test_published_examples(wins: NDArray[np.float64], published: tuple[float, ...], origin: int, digits: int) -> None:
    fitted = log_strengths(wins, prior=0)
    assert np.round(fitted - fitted[origin], digits) == pytest.approx(published, abs=10**-digits)
    assert fitted.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("prior", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("wins", [BASEBALL, CITED], ids=["baseball", "citations"])
def test_the_fit_is_that_of_a_general_optimiser(wins: NDArray[np.float64], prior: float) -> None:
    assert log_strengths(wins, prior) == pytest.approx(independent_fit(wins, prior), abs=2e-5)


def test_two_methods_have_the_log_odds_of_their_wins() -> None:
    fitted = log_strengths(np.array([[0, 30.0], [10.0, 0]]), prior=0)
    assert fitted[0] - fitted[1] == pytest.approx(math.log(3))


def test_many_at_once_are_as_one_at_a_time() -> None:
    both = np.stack([BASEBALL, BASEBALL.T, BASEBALL * 3])
    assert log_strengths(both) == pytest.approx(np.stack([log_strengths(each) for each in both]), abs=1e-8)


def test_even_ten_thousand_wins_without_a_loss_converge() -> None:
    wins = np.zeros((3, 3))
    wins[0, 1] = wins[1, 2] = 10_000
    fitted = log_strengths(wins)
    assert np.isfinite(fitted).all() and fitted[0] > fitted[1] > fitted[2]
    assert fitted == pytest.approx(independent_fit(wins, 0.5), abs=1e-3)


def test_without_prior_and_without_losses_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="never won"):
        log_strengths(np.array([[0, 3.0], [0, 0]]), prior=0)


def answers(
    generator: np.random.Generator,
    true: dict[str, float],
    raters: int,
    scenes: int,
    spread: float = 0.0,
    ties: float = 0.0,
) -> list[Comparison]:
    """Each rater compares all pairs in each scene; ``spread``: of what raters and scenes add to the strengths."""
    names = list(true)
    taste, sight = (spread * generator.standard_normal((count, len(names))) for count in (raters, scenes))
    found = []
    for rater in range(raters):
        for scene in range(scenes):
            for i in range(len(names)):
                for j in range(i + 1, len(names)):
                    own = [true[names[k]] + taste[rater, k] + sight[scene, k] for k in (i, j)]
                    outcome = float(generator.random() < expit(own[0] - own[1]))
                    outcome = 0.5 if generator.random() < ties else outcome
                    found.append(Comparison(names[i], names[j], outcome, f"r{rater}", f"s{scene}"))
    return found


TRUE = {"unet": 0.8, "restormer": 0.1, "identity": -0.9}


def test_simulated_strengths_are_found_again() -> None:
    found = strengths(answers(np.random.default_rng(1), TRUE, 30, 40))
    assert [each.name for each in found.ranked] == list(TRUE)
    for each in found.ranked:
        assert each.low < TRUE[each.name] < each.high
        assert each.strength == pytest.approx(TRUE[each.name], abs=0.15)
    assert found.speaks_of == ("raters", "scenes") and (found.raters, found.scenes) == (30, 40)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """With raters and scenes that differ in taste, 150 studies: at least 90 % of them."""
    held = naive = 0
    for seed in range(150):
        made = answers(np.random.default_rng(seed), TRUE, 8, 10, spread=0.4)
        for each in strengths(made).ranked:
            held += each.low <= TRUE[each.name] <= each.high
        alone = [Comparison(c.first, c.second, c.outcome, str(n), str(n)) for n, c in enumerate(made)]
        for each in strengths(alone).ranked:
            naive += each.low <= TRUE[each.name] <= each.high
    assert held / 450 > 0.9
    assert naive < held


def test_one_rater_is_speaks_of_over_scenes_and_few_of_both_give_no_interval() -> None:
    one = strengths(answers(np.random.default_rng(2), TRUE, 1, 12))
    assert one.speaks_of == ("scenes",) and all(each.low < each.strength < each.high for each in one.ranked)
    few = strengths(answers(np.random.default_rng(2), TRUE, 2, 3))
    assert few.speaks_of == () and all(math.isnan(each.low) for each in few.ranked)


def test_a_method_that_always_won_has_a_wide_interval_all_the_same() -> None:
    always = [Comparison("a", "b", 1.0, f"r{n}", f"s{n}") for n in range(10)]
    best = strengths(always).ranked[0]
    assert best.name == "a" and best.low < best.strength - 0.5 and best.high > best.strength + 0.5


def test_ties_are_half_a_win_for_each() -> None:
    tied = [Comparison("a", "b", 0.5, f"r{n}", f"s{n}") for n in range(8)]
    found = strengths(tied)
    assert [each.strength for each in found.ranked] == pytest.approx([0, 0], abs=1e-9)
    assert [(each.wins, each.ties, each.losses) for each in found.ranked] == [(0, 8, 0)] * 2
    split = [Comparison("a", "b", float(n % 2), f"r{n}", f"s{n}") for n in range(8)]
    assert strengths(split).ranked[0].strength == pytest.approx(0, abs=1e-9)


def test_which_side_is_called_first_changes_nothing() -> None:
    made = answers(np.random.default_rng(3), TRUE, 7, 8, ties=0.3)
    turned = [Comparison(c.second, c.first, 1 - c.outcome, c.rater, c.scene) for c in made]
    one, other = (strengths(each) for each in (made, turned))
    assert one.pairs == other.pairs
    for here, there in zip(one.ranked, other.ranked, strict=True):
        assert (here.name, here.wins, here.ties, here.losses) == (there.name, there.wins, there.ties, there.losses)
        assert (here.strength, here.low, here.behind_high) == pytest.approx(
            (there.strength, there.low, there.behind_high), abs=1e-7
        )


def test_methods_that_nobody_compared_are_in_groups_of_their_own() -> None:
    made = [Comparison("a", "b", 1.0, "r", "s"), Comparison("c", "d", 1.0, "r", "s")]
    found = strengths(made)
    assert found.groups == (("a", "b"), ("c", "d"))
    assert len(found.pairs) == 6 and sum(pair.wins + pair.losses for pair in found.pairs) == 2


@pytest.mark.parametrize(
    "made", [[], [Comparison("a", "a", 1.0, "r", "s")], [Comparison("a", "b", 0.7, "r", "s")]], ids=str
)
def test_what_is_no_comparison_is_refused(made: list[Comparison]) -> None:
    with pytest.raises(ValueError, match="comparison"):
        strengths(made)
