"""Overrides of what the generator would draw or assume. Defaults are the benchmark convention."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

from drivederain.rain.errors import RainError

# (lowest, highest) value for every number a caller may set; beyond them the model has no meaning or no measured basis.
LIMITS: Final[dict[str, tuple[float, float]]] = {
    "rain_rate_mm_h": (0.05, 200.0),
    "speed_m_s": (0.0, 60.0),
    "seconds_since_wipe": (0.0, 60.0),
    "hfov_deg": (10.0, 140.0),
    "glass_distance_mm": (10.0, 1000.0),
    "aperture_mm": (0.0, 10.0),
    "rake_deg": (20.0, 90.0),
    "horizon": (0.0, 1.0),
    "run_offs": (0, 40),
}


@dataclass(frozen=True, kw_only=True)
class RainSettings:
    """What the caller fixes; ``None`` leaves a value to the seed.

    Parameters
    ----------
    rain_rate_mm_h: rain rate R, mm/h; by default the rate of the stratum times e^U(-.25, .25).
    speed_m_s: speed of the car V, m/s. 13.9 m/s (50 km/h) is the benchmark convention.
    seconds_since_wipe: time t the glass has gathered drops, s; 5 s is the benchmark convention.
    hfov_deg: horizontal field of view of the photo, degrees.
    glass_distance_mm: distance M from the lens to the glass, mm; by default U(110, 220).
    aperture_mm: diameter A of the entrance pupil, mm; by default U(1.0, 2.2). 0 puts the drops in focus.
    rake_deg: angle psi between the glass and the optical axis, degrees; by default U(50, 65). 90 faces the lens.
    horizon: height of the horizon in the photo, 0 at the top and 1 at the bottom.
    run_offs: number of drops that run down the glass; by default drawn from the range of the stratum.
    veil: draw the haze of distant rain.
    streaks: draw the drops that fall in front of the car.
    film: draw the scatter of drops too small for the photo to resolve.

    Raises `RainError` for a value that is no finite number or lies outside `LIMITS`.
    """

    rain_rate_mm_h: float | None = None
    speed_m_s: float = 13.9
    seconds_since_wipe: float = 5.0
    hfov_deg: float = 60.0
    glass_distance_mm: float | None = None
    aperture_mm: float | None = None
    rake_deg: float | None = None
    horizon: float = 0.45
    run_offs: int | None = None
    veil: bool = True
    streaks: bool = True
    film: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in LIMITS:
                if not isinstance(value, bool):
                    raise RainError(f"rain setting {field.name} must be true or false, not {value!r}")
                continue
            if value is None and field.default is None:
                continue
            low, high = LIMITS[field.name]
            number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if field.name == "run_offs" and not isinstance(value, int):
                raise RainError(f"rain setting run_offs must be a whole number, not {value!r}")
            if not number or not low <= value <= high:
                raise RainError(f"rain setting {field.name} must be a number from {low:g} to {high:g}, not {value!r}")
