"""Whether a value is better than the setting so far, by more than two trainings of the same setting differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Literal

Verdict = Literal["baseline", "base", "kept", "overtaken", "within noise", "not better", "failed"]
"""Of a value. ``base``: the setting so far has it. ``kept``: it is better, and the setting has it from now on.
``overtaken``: it is better, and another value is better still."""


def seed_noise(groups: Iterable[Sequence[float]]) -> float:
    """The standard deviation between seeds, pooled over groups of scores with one setting each.

    Groups of one say nothing of it and do not count.

    Raises:
        ValueError: no group has two scores.
    """
    several = [group for group in groups if len(group) > 1]
    degrees = sum(len(group) - 1 for group in several)
    if not degrees:
        raise ValueError("seed noise needs two scores of one setting")
    means = [fmean(group) for group in several]
    squares = [(score - mean) ** 2 for group, mean in zip(several, means, strict=True) for score in group]
    return math.sqrt(math.fsum(squares) / degrees)


def needed(noise: float, seeds: int, margin: float) -> float:
    """The difference, in dB, that the means of two settings with ``seeds`` trainings each must exceed.

    It is ``margin`` standard errors of such a difference: ``margin * noise * sqrt(2 / seeds)``.
    """
    return margin * noise * math.sqrt(2 / seeds)


def difference(scores: Sequence[float], base: Sequence[float]) -> float:
    """Of the means of a value and of the base, both with the seeds that the value was trained with so far.

    A seed that starts luckily does so with many settings: held against all seeds of the base, its values would look
    better than they are.
    """
    return fmean(scores) - fmean(base[: len(scores)])


def verdicts(base: Sequence[float], tried: Sequence[Sequence[float]], needs: float) -> list[Verdict]:
    """Of each value, from its scores (none: it failed); scores are in the order of the seeds.

    A value is better with as many seeds as ``base`` and a mean that is higher by more than ``needs``, in dB. The best
    of them is kept, of equal ones the first.
    """
    found = [_alone(base, scores, needs) for scores in tried]
    better = [place for place, verdict in enumerate(found) if verdict == "kept"]
    best = max(better, key=lambda place: fmean(tried[place]), default=None)
    return ["overtaken" if verdict == "kept" and place != best else verdict for place, verdict in enumerate(found)]


def _alone(base: Sequence[float], scores: Sequence[float], needs: float) -> Verdict:
    if not scores:
        return "failed"
    gain = difference(scores, base)
    if len(scores) < len(base) or gain <= 0:
        return "not better"
    return "kept" if gain > needs else "within noise"
