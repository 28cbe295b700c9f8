from __future__ import annotations

import dataclasses
from math import sqrt

import pytest

from drivederain.data.strata.stratum import LIGHT_MEDIUM_CUT, MEDIUM_HEAVY_CUT, stratum_of_coverage
from drivederain.specs import Intensity


@pytest.mark.parametrize(
    ("coverage", "intensity"),
    [(0.0, "light"), (0.08, "light"), (0.09, "medium"), (0.2, "medium"), (0.21, "heavy"), (1.0, "heavy")],
)
def test_cuts(coverage: float, intensity: Intensity) -> None:
    assert (LIGHT_MEDIUM_CUT, MEDIUM_HEAVY_CUT) == (0.09, 0.21)
    assert stratum_of_coverage(coverage, 0.0, "pair", {}).intensity == intensity


@pytest.mark.parametrize("cut", [LIGHT_MEDIUM_CUT, MEDIUM_HEAVY_CUT])
def test_borderline_within_the_margin_on_the_square_root_scale(cut: float) -> None:
    margin = 0.03
    for side in (-1, 1):
        near, far = ((sqrt(cut) + side * step * margin) ** 2 for step in (0.99, 1.01))
        assert stratum_of_coverage(near, margin, "estimated", {}).borderline
        assert not stratum_of_coverage(far, margin, "estimated", {}).borderline


def test_evidence_keeps_the_distance_with_its_sign() -> None:
    below = stratum_of_coverage(0.04, 0.01, "pair", {"mask_coverage": 0.04})
    assert below.evidence["distance_to_cut"] == pytest.approx(0.2 - sqrt(0.09))
    assert below.evidence["mask_coverage"] == 0.04
    above = stratum_of_coverage(0.36, 0.01, "pair", {})
    assert above.evidence["distance_to_cut"] == pytest.approx(0.6 - sqrt(0.21))


def test_frozen() -> None:
    stratum = stratum_of_coverage(0.1, 0.01, "pair", {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        stratum.intensity = "heavy"  # type: ignore[misc]
