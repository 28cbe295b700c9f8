"""How many drops of which size land on the glass, and how wide a drop spreads.

Sizes follow Marshall and Palmer (1948), terminal speeds Atlas, Srivastava and Sekhon (1973, eq. 1 fit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEP_MM: Final = 0.02
DIAMETERS_MM: Final[NDArray[np.float64]] = np.arange(0.2, 6.0, _STEP_MM)
# The glass that the flux convention assumes: 30 degrees from the horizontal, whatever rake the optics draw, so that
# the expected number of drops is a function of R, V and t alone.
GLASS_SLOPE: Final = np.radians(30.0)
# A drop below this radius is not resolved by the photo: it joins the film.
RESOLVED_RADIUS_PX: Final = 0.9


def marshall_palmer(diameter_mm: NDArray[np.float64], rain_rate_mm_h: float) -> NDArray[np.float64]:
    """Drops in the air, m^-3 mm^-1: N(D) = 8000 exp(-4.1 R^-0.21 D)."""
    return np.asarray(8000.0 * np.exp(-4.1 * rain_rate_mm_h**-0.21 * diameter_mm))


def terminal_speed(diameter_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fall speed in still air, m/s: v(D) = 9.65 - 10.3 exp(-0.6 D), at least 0.2."""
    return np.maximum(9.65 - 10.3 * np.exp(-0.6 * diameter_mm), 0.2)


def drops_on_glass(
    diameter_mm: NDArray[np.float64], rain_rate_mm_h: float, speed_m_s: float, seconds: float
) -> NDArray[np.float64]:
    """Drops that landed, m^-2 mm^-1: N(D) [V sin 30 + v(D) cos 30] t."""
    approach = speed_m_s * np.sin(GLASS_SLOPE) + terminal_speed(diameter_mm) * np.cos(GLASS_SLOPE)
    return np.asarray(marshall_palmer(diameter_mm, rain_rate_mm_h) * approach * seconds)


def contact_radius_ratio(contact_angle: float) -> float:
    """Contact radius of a spherical cap over the diameter of the drop of the same volume; angle in radians.

    r / D = [tau (3 + tau^2)]^(-1/3) with tau = tan(theta / 2).
    """
    tau = np.tan(contact_angle / 2)
    return float((tau * (3 + tau * tau)) ** (-1 / 3))


@dataclass(frozen=True)
class Population:
    """The drops expected on the glass in view.

    ``radius_px`` and ``expected`` have a place for every size class that the photo resolves: the contact radius in
    pixels and the mean count. ``film`` is the share of the glass, [0, 1), under drops too small to resolve.
    """

    radius_px: NDArray[np.float64]
    expected: NDArray[np.float64]
    film: float


def expected_population(
    *,
    rain_rate_mm_h: float,
    speed_m_s: float,
    seconds: float,
    contact_angle: float,
    px_per_mm: float,
    area_m2: float,
) -> Population:
    """Size classes, mean counts on ``area_m2`` of glass, and the film, for a contact angle in radians."""
    density = drops_on_glass(DIAMETERS_MM, rain_rate_mm_h, speed_m_s, seconds) * _STEP_MM
    radius_mm = DIAMETERS_MM * contact_radius_ratio(contact_angle)
    radius_px = radius_mm * px_per_mm
    resolved = radius_px >= RESOLVED_RADIUS_PX
    covered = np.sum((density * np.pi * (radius_mm * 1e-3) ** 2)[~resolved])
    return Population(
        radius_px=radius_px[resolved],
        expected=(density * area_m2)[resolved],
        film=float(1 - np.exp(-covered)),
    )
