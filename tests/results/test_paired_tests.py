"""Paired tests against scipy, a textbook's figures, and data in which nothing differs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from drivederain.results import paired_tests
from drivederain.results.paired_tests import FLIPS, holm, pairwise_p, sign_flip_p, smallest_detectable, win_shares

DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Heights of cross- less self-fertilised plants of maize in eighths of an inch, fifteen pairs: Darwin 1876, in Fisher,
*The Design of Experiments*, sections 17 and 21. Of the 2^15 ways of signs, 863 + 863 have a sum at least as far from
zero, p = .0527."""


def test_darwin_s_maize_as_fisher_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired_tests, "MOST_LISTED", 15)
    p = sign_flip_p(np.array(DARWIN, dtype=float)[:, None], np.arange(15), ("all ways",))
    assert p[0] == pytest.approx(2 * 863 / 2**15, abs=1e-12)


def test_drawn_signs_come_near_all_signs() -> None:
    p = sign_flip_p(np.array(DARWIN, dtype=float)[:, None], np.arange(15), ("maize",))
    assert p[0] == pytest.approx(2 * 863 / 2**15, abs=4 * math.sqrt(0.0527 * 0.9473 / FLIPS))


@pytest.mark.parametrize("scenes", [3, 7, 11])
def test_all_signs_agree_with_scipy(scenes: int) -> None:
    values = np.random.Generator(np.random.PCG64(scenes)).normal(0.4, 1, scenes)
    theirs = stats.permutation_test((values,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(values[:, None], np.arange(scenes), ("d",))[0] == pytest.approx(theirs.pvalue, abs=1e-12)


def test_pictures_of_a_scene_turn_together() -> None:
    """Six scenes of ten pictures each, all better: 2 of 2^6 ways, however many pictures there are."""
    values = np.random.Generator(np.random.PCG64(1)).random((60, 1)) + 0.1
    assert sign_flip_p(values, np.repeat(np.arange(6), 10), ("d",))[0] == pytest.approx(2 / 64)


def test_five_scenes_tell_nothing_apart() -> None:
    assert sign_flip_p(np.full((5, 1), 9.0), np.arange(5), ("d",))[0] > 0.05


def test_columns_that_lack_scenes_are_tested_without_them() -> None:
    values = np.random.Generator(np.random.PCG64(3)).normal(1, 1, (20, 3))
    values[:12, 1] = np.nan
    values[:, 2] = np.nan
    together = sign_flip_p(values, np.arange(20), ("d",))
    assert together[1] == sign_flip_p(values[12:, [1]], np.arange(8), ("d",))[0]
    assert math.isnan(together[2])


def test_pairs_are_tested_as_their_differences_are() -> None:
    scores = np.random.Generator(np.random.PCG64(5)).normal(25, 3, (30, 1)) + np.random.Generator(
        np.random.PCG64(6)
    ).normal(0, 1, (30, 3))
    owner = np.repeat(np.arange(15), 2)
    p = pairwise_p(scores, owner, ("d",))
    np.testing.assert_array_equal(p, p.T)
    np.testing.assert_array_equal(np.diag(p), 1)
    assert p[0, 2] == pytest.approx(sign_flip_p(scores[:, [0]] - scores[:, [2]], owner, ("d",))[0], abs=2e-4)


def test_thousands_of_scenes_are_tested_in_blocks() -> None:
    noise = np.random.Generator(np.random.PCG64(8)).normal(0, 1, (3000, 200))
    share = np.mean(sign_flip_p(noise, np.arange(3000), ("d",)) <= 0.05)
    assert 0.01 <= share <= 0.1
    assert sign_flip_p(noise[:, :1] + 0.2, np.arange(3000), ("d",))[0] <= 0.001


def test_no_difference_at_all_is_no_evidence() -> None:
    assert sign_flip_p(np.zeros((20, 1)), np.arange(20), ("d",))[0] == 1


def test_equal_sums_are_equal_in_spite_of_rounding() -> None:
    """.1 + .2 - .3 is not quite zero in floating point."""
    values = np.array([[0.1], [0.2], [-0.3], [0.1], [0.2], [-0.3]])
    assert sign_flip_p(values, np.arange(6), ("d",))[0] == 1


@pytest.mark.parametrize("scenes", [8, 12, 40])
@pytest.mark.parametrize("skewed", [False, True], ids=["normal", "skewed"])
def test_false_positives_where_nothing_differs(scenes: int, skewed: bool) -> None:
    """2,000 sets of scenes of one to five pictures; at the 5 % level, 5 % of them may seem to differ.

    The skewed differences are those of two scores that are alike and skewed, as the test presumes.
    """
    noise = np.random.Generator(np.random.PCG64(scenes))
    sets = 2000
    if skewed:
        shared = noise.exponential(1, (scenes, sets)) - noise.exponential(1, (scenes, sets))
    else:
        shared = noise.normal(0, 1, (scenes, sets))
    owner = np.repeat(np.arange(scenes), 1 + np.arange(scenes) % 5)
    values = shared[owner] + noise.normal(0, 0.5, (len(owner), sets))
    share = np.mean(sign_flip_p(values, owner.astype(np.intp), ("d",)) <= 0.05)
    assert 0.03 <= share <= 0.065, f"{share:.3f}"


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    adjusted = holm([math.nan, 0.02])
    assert math.isnan(adjusted[0])
    assert adjusted[1] == 0.02


def test_holm_keeps_the_probability_of_any_false_difference() -> None:
    """Seven methods that do not differ from an eighth, correlated as such differences are; 500 sets of 30 scenes."""
    noise = np.random.Generator(np.random.PCG64(9))
    false = 0
    for _ in range(500):
        scores = noise.normal(0, 1, (30, 8))
        p = sign_flip_p(scores[:, 1:] - scores[:, :1], np.arange(30), ("d",))
        false += min(holm(p.tolist())) <= 0.05
    assert false / 500 <= 0.075


def test_win_shares() -> None:
    gains = np.array([2.0, -1.0, 0.0, np.nan])
    np.testing.assert_array_equal(win_shares(gains), [1.0, 0.0, 0.5, np.nan])


def test_a_difference_of_the_smallest_detectable_size_is_shown_about_as_often_as_said() -> None:
    noise = np.random.Generator(np.random.PCG64(4))
    sample = noise.normal(0, 1, (24, 400))
    sizes = smallest_detectable(sample, np.arange(24))
    shown = stats.ttest_1samp(noise.normal(0, 1, (24, 400)) + np.median(sizes), 0).pvalue < 0.05
    assert 0.72 <= shown.mean() <= 0.88
    assert math.isnan(smallest_detectable(np.ones((3, 1)), np.zeros(3, dtype=np.intp))[0])
