"""Light, medium or heavy for pictures that were not drawn here: recorded, else estimated, and remembered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from drivederain.data import strata
from drivederain.data.fingerprint import fingerprint_of
from drivederain.data.found import Found
from drivederain.data.sample import IntensitySource
from drivederain.data.strata import STRATA_VERSION
from drivederain.results.json_lines import line_of, record_of
from drivederain.results.run_folder import write_atomically
from drivederain.specs import INTENSITIES, Intensity


@dataclass(frozen=True)
class KnownIntensity:
    """The stratum of a picture, how it is known, and whether it lies close to a cut point."""

    intensity: Intensity
    source: IntensitySource
    borderline: bool
    coverage: float
    """What it was cut by: the covered part of the picture, 0 to 1, measured or estimated; NaN where it was recorded."""


def estimated_intensity(rainy: Found, clear: Found | None, mask: Found | None, cache: Path) -> KnownIntensity:
    """From the pair where there is a clear picture, else from the photo alone; always at native size.

    Estimates are kept in ``cache/strata``; a damaged entry is estimated again.

    Raises:
        DataError: a file cannot be decoded any more.
    """
    fingerprints = [found.picture(None).fingerprint if found else None for found in (rainy, clear, mask)]
    key = fingerprint_of("stratum", STRATA_VERSION, *fingerprints)
    entry = cache / "strata" / key[:2] / f"{key}.json"
    try:
        return _checked(record_of(entry.read_bytes()) or {})
    except (OSError, ValueError, TypeError, KeyError):
        known = _estimate(rainy, clear, mask)
    record = {
        "intensity": known.intensity,
        "source": known.source,
        "borderline": known.borderline,
        "coverage": known.coverage,
    }
    write_atomically(entry, line_of(record))
    return known


def _estimate(rainy: Found, clear: Found | None, mask: Found | None) -> KnownIntensity:
    if clear is None:
        stratum = strata.photo_intensity(rainy.picture(None).load())
    else:
        drops = mask.mask(None).load() if mask else None
        stratum = strata.pair_intensity(rainy.picture(None).load(), clear.picture(None).load(), drops)
    return KnownIntensity(stratum.intensity, stratum.source, stratum.borderline, float(stratum.evidence["coverage"]))


def _checked(record: dict[str, object]) -> KnownIntensity:
    intensity, source, borderline = record["intensity"], record["source"], record["borderline"]
    coverage = record["coverage"]
    for known in INTENSITIES:
        for kind in get_args(IntensitySource):
            if intensity == known and source == kind and isinstance(borderline, bool) and isinstance(coverage, float):
                return KnownIntensity(known, kind, borderline, coverage)
    raise ValueError("not a stratum")
