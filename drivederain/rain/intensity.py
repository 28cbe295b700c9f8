"""The three rain strata, after the AMS Glossary: light <= 2.5 mm/h, medium 2.6-7.6 mm/h, heavy > 7.6 mm/h."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from drivederain.rain.errors import RainError

Intensity = Literal["light", "medium", "heavy"]
INTENSITIES: Final[tuple[Intensity, ...]] = ("light", "medium", "heavy")


@dataclass(frozen=True)
class Stratum:
    """What one intensity fixes before anything is drawn.

    ``rain_rate_mm_h`` is the centre of the drawn rates; ``run_offs`` is the inclusive range of the number of drops that
    run down the glass.
    """

    rain_rate_mm_h: float
    run_offs: tuple[int, int]


STRATA: Final[dict[str, Stratum]] = {
    "light": Stratum(rain_rate_mm_h=1.5, run_offs=(0, 2)),
    "medium": Stratum(rain_rate_mm_h=5.0, run_offs=(2, 5)),
    "heavy": Stratum(rain_rate_mm_h=25.0, run_offs=(5, 10)),
}


def stratum(intensity: str) -> Stratum:
    """The stratum of that name; raises `RainError` for any other word."""
    try:
        return STRATA[intensity]
    except (KeyError, TypeError):
        raise RainError(f"unknown rain intensity {intensity!r}: choose one of {', '.join(INTENSITIES)}") from None
