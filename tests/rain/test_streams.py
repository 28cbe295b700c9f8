"""Inverse CDFs and streams."""

from __future__ import annotations

import numpy as np
import pytest

from drivederain.rain.errors import RainError
from drivederain.rain.streams import Stage, discrete, normal, poisson, stream

UNIFORM = (np.arange(2000) + 0.5) / 2000


@pytest.mark.parametrize("mean", [0.3, 4.0, 70.0, 2500.0])
def test_poisson_has_the_mean_and_the_variance_of_its_law(mean: float) -> None:
    counts = np.array([poisson(u, mean) for u in UNIFORM.tolist()])
    assert counts.mean() == pytest.approx(mean, rel=0.005)
    assert counts.var() == pytest.approx(mean, rel=0.02)


def test_poisson_probabilities_are_those_of_the_formula() -> None:
    # P(0) = e^-2 and P(0 or 1) = 3 e^-2: the counts must change exactly there.
    zero, one = np.exp(-2), 3 * np.exp(-2)
    assert [poisson(u, 2.0) for u in (zero - 1e-9, zero + 1e-9, one - 1e-9, one + 1e-9)] == [0, 1, 1, 2]


@pytest.mark.parametrize("mean", [0.0, 1e-9, 5.0, 1e5])
def test_poisson_stays_finite_at_the_ends(mean: float) -> None:
    low, high = poisson(0.0, mean), poisson(1 - 2**-53, mean)
    assert 0 <= low <= mean
    assert mean <= high + 1 and high <= mean + 12 * mean**0.5 + 20


def test_normal_matches_known_quantiles_and_stays_finite() -> None:
    found = normal(np.array([0.5, 0.975, 0.158655253931457]))
    assert found == pytest.approx([0.0, 1.959963984540054, -1.0], abs=1e-9)
    assert np.isfinite(normal(np.array([0.0, 1 - 2**-53]))).all()
    assert normal(np.zeros((3, 2))).shape == (3, 2)


def test_discrete_follows_its_weights() -> None:
    shares = np.bincount(discrete(UNIFORM, np.array([1.0, 0.0, 3.0])), minlength=3) / len(UNIFORM)
    assert shares == pytest.approx([0.25, 0.0, 0.75], abs=1e-3)


def test_streams_differ_by_seed_key_and_stage_and_repeat() -> None:
    first = stream(1, "a", Stage.DROPS).random(4).tolist()
    others = [stream(2, "a", Stage.DROPS), stream(1, "b", Stage.DROPS), stream(1, "a", Stage.STREAKS)]
    assert stream(1, "a", Stage.DROPS).random(4).tolist() == first
    assert all(other.random(4).tolist() != first for other in others)


def test_a_stream_gives_the_numbers_it_gave_when_the_generator_was_made() -> None:
    found = stream(7, "photo_0001", Stage.DROPS).random(3)
    assert found == pytest.approx([0.46686607712943407, 0.8336010149180367, 0.40375664421615487], abs=1e-15)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
def test_unusable_seeds_are_refused(seed: object) -> None:
    with pytest.raises(RainError, match="seed"):
        stream(seed, "a", Stage.DROPS)  # type: ignore[arg-type]
