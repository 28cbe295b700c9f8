"""The stratum of a picture whose rain was not recorded: cut points on the covered part of the glass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Literal

from drivederain.specs import Intensity

STRATA_VERSION = 1
"""Raised whenever an estimate or a cut point could change; part of the key of whatever depends on a stratum."""

SOFT_ALPHA = 0.25
"""A pixel is covered where the soft drop mask (after defocus) is above this."""

CLEAR_BELOW = 0.004
"""Coverage under which the glass counts as clear; the stratum is then ``light``, the lowest there is."""

LIGHT_MEDIUM_CUT = 0.09
MEDIUM_HEAVY_CUT = 0.21
"""Coverages between the strata."""

StratumSource = Literal["pair", "estimated"]


@dataclass(frozen=True)
class Stratum:
    """Light, medium or heavy, how that is known, and the figures it rests on."""

    intensity: Intensity
    borderline: bool
    """The coverage is so close to a cut point that the estimator's median error could move it across."""
    source: StratumSource
    """``pair``: from the drop mask, or from the clear picture beside the rainy one. ``estimated``: visible-drop
    severity judged from the rainy picture alone. The two are never mixed in one column."""
    evidence: Mapping[str, float] = field(default_factory=dict)
    """Always ``coverage`` (0 to 1) and ``distance_to_cut`` (signed, of sqrt coverage); and what else was measured."""


def stratum_of_coverage(
    coverage: float, margin: float, source: StratumSource, evidence: Mapping[str, float]
) -> Stratum:
    """Cut a coverage into a stratum.

    Args:
        coverage: covered part of the picture, 0 to 1.
        margin: distance to a cut, on the scale of sqrt coverage, up to which the stratum is borderline.
        source: how the coverage is known.
        evidence: further figures to keep.
    """
    root = sqrt(coverage)
    distances = [root - sqrt(cut) for cut in (LIGHT_MEDIUM_CUT, MEDIUM_HEAVY_CUT)]
    nearest = min(distances, key=abs)
    strata: tuple[Intensity, ...] = ("light", "medium", "heavy")
    intensity = strata[sum(distance >= 0 for distance in distances)]
    known = {"coverage": coverage, "distance_to_cut": nearest, **evidence}
    return Stratum(intensity, abs(nearest) <= margin, source, known)
