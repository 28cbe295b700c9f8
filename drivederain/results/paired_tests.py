"""Paired tests of differences between methods, where pictures of one scene are not independent.

The test is Fisher's randomisation test for matched pairs (Fisher, *The Design of Experiments*, 1935, section 21;
Pitman, *Significance Tests which may be Applied to Samples from any Populations*, 1937): if two methods do not
differ, the difference on a scene could as well have had the other sign. So the signs of the scenes' sums are turned,
in all ways with up to 13 scenes, else in 9,999 drawn ones, and the p value is the share of them in which the mean
difference is at least as far from zero as the one that was found (the one found among them: Phipson and Smyth,
*Permutation P-values Should Never Be Zero*, 2010). With five scenes the smallest p value is 2 / 2^5 = .0625: nothing
can be told apart at the 5 % level.

P values of one family are adjusted by Holm (*A Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian
Journal of Statistics 6, 1979), so that the probability of even one false difference among them is at most 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from drivederain.results.intervals import LEVEL, seed_of, standard_errors, sums_by_scene

FLIPS = 9_999
"""Drawn ways of signs."""
MOST_LISTED = 13
"""Scenes up to which all ways are gone through: 2^13 = 8,192."""
MOST_BLOCKS = 1_000
"""Scenes whose signs are turned one by one. More are put together into so many blocks, each with one sign, which is as
valid a test and costs no power that could be seen."""
POWER = 0.8
"""Of the smallest difference that a sample could show."""

_SLACK = 1e-5
"""Sums that differ by less than this part of the largest possible one are equal but for rounding (in float32)."""


def sign_flip_p(
    differences: NDArray[np.float64], scenes: NDArray[np.intp], names: Sequence[str]
) -> NDArray[np.float64]:
    """Two-sided p values of m mean differences.

    Args:
        differences: n pictures x m; what is not finite is left out of its column.
        scenes: n numbers, the same for pictures of one scene.
        names: decide the seed of drawn signs.

    Returns:
        m values in (0, 1]; NaN for a column without a finite value.
    """
    sums, counts = sums_by_scene(differences, scenes)
    found = np.full(differences.shape[1], np.nan)
    # A scene without a difference in a column has a sum of zero there, whose sign changes nothing; but it must not lend
    # the column its ways of signs, so columns that lack other scenes are tested apart.
    alike: dict[bytes, list[int]] = {}
    for column, pattern in enumerate(np.packbits(counts > 0, axis=0).T):
        alike.setdefault(pattern.tobytes(), []).append(column)
    for chosen in alike.values():
        present = np.flatnonzero(counts[:, chosen[0]])
        if len(present):
            own = _blocks(sums[present][:, chosen])
            found[chosen] = _shares(_signs(len(own), tuple(names)), own, np.abs(own).sum(axis=0))
    return found


def pairwise_p(scores: NDArray[np.float64], scenes: NDArray[np.intp], names: Sequence[str]) -> NDArray[np.float64]:
    """Two-sided p values of the differences between m methods, m x m and symmetric, 1 on its diagonal.

    Args:
        scores: n pictures x m, all finite.
        scenes: n numbers, the same for pictures of one scene.
        names: decide the seed of drawn signs.
    """
    centred = scores - scores.mean(axis=1, keepdims=True)  # differences stay, and lose less by rounding
    sums = _blocks(sums_by_scene(centred, scenes)[0])
    signs = _signs(len(sums), tuple(names))
    turned = signs @ sums.astype(signs.dtype)
    methods = scores.shape[1]
    found = np.ones((methods, methods))
    for one in range(methods):
        for other in range(one + 1, methods):
            most = np.abs(sums[:, one] - sums[:, other]).sum()
            least = np.abs(sums[:, one].sum() - sums[:, other].sum()) - _SLACK * most
            found[one, other] = found[other, one] = (np.abs(turned[:, one] - turned[:, other]) >= least).mean()
    return found


def _shares(signs: NDArray[np.floating], sums: NDArray[np.float64], most: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the ways of signs (w x k), the shares in which m columns of k sums end as far from zero as they are."""
    least = np.abs(sums.sum(axis=0)) - _SLACK * most
    shares: NDArray[np.float64] = (np.abs(signs @ sums.astype(signs.dtype)) >= least).mean(axis=0)
    return shares


def _blocks(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(sums) <= MOST_BLOCKS:
        return sums
    blocks = np.zeros((MOST_BLOCKS, sums.shape[1]))
    np.add.at(blocks, np.arange(len(sums)) % MOST_BLOCKS, sums)
    return blocks


@lru_cache(maxsize=2)
def _signs(scenes: int, names: tuple[str, ...]) -> NDArray[np.floating]:
    """Ways of signs, w x scenes; the first is all ones, the differences as they were found."""
    if scenes <= MOST_LISTED:
        # The last scene keeps its sign: turning all signs at once changes no distance from zero.
        bits = (np.arange(2 ** (scenes - 1))[:, None] >> np.arange(scenes)) & 1
        return 1.0 - 2.0 * bits
    generator = np.random.Generator(np.random.PCG64(seed_of("signs", *names)))
    packed = np.frombuffer(generator.bytes(-(-FLIPS * scenes // 8)), np.uint8)
    signs = np.ones((FLIPS + 1, scenes), np.float32)
    signs[1:] -= 2 * np.unpackbits(packed, count=FLIPS * scenes).reshape(FLIPS, scenes)
    return signs


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values of one family, in its order. NaN stays NaN and does not count."""
    adjusted = [math.nan] * len(p)
    order = sorted((place for place, value in enumerate(p) if not math.isnan(value)), key=lambda place: p[place])
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p[place]))
        adjusted[place] = highest
    return adjusted


def win_shares(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where a gain is above zero, 0 where it is below, one half where it is zero, NaN where there is none.

    Their mean is the win rate; of scores that are infinite on both sides the gain is NaN.
    """
    return np.where(np.isnan(gains), np.nan, (np.sign(gains) + 1) / 2)


def smallest_detectable(differences: NDArray[np.float64], scenes: NDArray[np.intp]) -> NDArray[np.float64]:
    """The mean difference that a sample with such scenes would show with a probability of .8: m values.

    (t(.975) + t(.8)) standard errors, of Student's t over scenes: Bloom, *Minimum Detectable Effects*, Evaluation
    Review 19, 1995. Before any adjustment for the number of comparisons. NaN with fewer than two scenes.

    Args:
        differences: n pictures x m; what is not finite is left out of its column.
        scenes: n numbers, the same for pictures of one scene.
    """
    sums, counts = sums_by_scene(differences, scenes)
    freedom = np.maximum((counts > 0).sum(axis=0) - 1, 1)
    reach: NDArray[np.float64] = stdtrit(freedom, (1 + LEVEL) / 2) + stdtrit(freedom, POWER)
    return reach * standard_errors(sums, counts)
