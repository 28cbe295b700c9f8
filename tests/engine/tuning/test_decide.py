"""The rule on made-up scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from drivederain.engine.tuning.decide import difference, needed, seed_noise, verdicts


def test_noise_of_one_setting_is_its_standard_deviation() -> None:
    assert seed_noise([(26.1, 26.3, 26.2)]) == pytest.approx(0.1)


def test_noise_is_pooled_over_settings_whatever_their_means() -> None:
    groups = [(20.0, 20.2), (30.0, 30.4, 30.2), (5.0,)]
    # Squared deviations .02 and .08, degrees of freedom 1 and 2.
    assert seed_noise(groups) == pytest.approx(math.sqrt(0.1 / 3))
    with pytest.raises(ValueError, match="two scores"):
        seed_noise([(5.0,), ()])


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_needed_is_the_margin_in_standard_errors_of_a_difference(seeds: int) -> None:
    """Of trainings that differ by noise alone, so many come out above by chance."""
    rng = np.random.default_rng(seeds)
    means = rng.normal(25, 0.3, (2, 200_000, seeds)).mean(axis=-1)
    above = (means[0] - means[1] > needed(0.3, seeds, 2.0)).mean()
    assert above == pytest.approx(0.02275, abs=0.002)


def test_a_difference_is_of_the_same_seeds() -> None:
    assert difference([30.0], [29.0, 20.0, 20.0]) == 1.0


BASE = (26.0, 26.2, 26.1)


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ([()], ["failed"]),
        ([(25.9,)], ["not better"]),
        ([(26.5, 26.0)], ["not better"]),
        ([(26.5, 26.0, 25.7)], ["not better"]),
        ([BASE], ["not better"]),
        ([(26.2, 26.4, 26.3)], ["within noise"]),
        ([(26.21, 26.4, 26.3)], ["kept"]),
        ([(26.5, 26.5, 26.5), (27.0, 27.0, 27.0), (26.2, 26.2, 26.2)], ["overtaken", "kept", "within noise"]),
        ([(27.0, 27.0, 27.0), (27.0, 27.0, 27.0)], ["kept", "overtaken"]),
        ([(), (26.9, 26.9, 26.9), (20.0,)], ["failed", "kept", "not better"]),
    ],
)
def test_the_best_that_is_better_by_more_than_is_needed_is_kept(tried: Any, expected: list[str]) -> None:
    assert verdicts(BASE, tried, 0.2 + 1e-9) == expected
