"""Drop counts, sizes and the cap that a drop spreads to."""

from __future__ import annotations

import numpy as np
import pytest

from drivederain.rain.population import (
    DIAMETERS_MM,
    contact_radius_ratio,
    drops_on_glass,
    expected_population,
    marshall_palmer,
    terminal_speed,
)


@pytest.mark.parametrize("angle_deg", [20.0, 37.0, 90.0])
def test_a_cap_keeps_the_volume_of_its_drop(angle_deg: float) -> None:
    angle = np.radians(angle_deg)
    radius = 2.0 * contact_radius_ratio(angle)
    assert cap_volume(radius, angle) == pytest.approx(np.pi * 2.0**3 / 6)


def cap_volume(contact_radius: float, contact_angle: float) -> float:
    """Volume of a spherical cap: pi r^3 tau (3 + tau^2) / 6, in the cube of the radius' unit."""
    tau = np.tan(contact_angle / 2)
    return float(np.pi * contact_radius**3 * tau * (3 + tau * tau) / 6)


def test_a_cap_of_ninety_degrees_is_half_a_ball() -> None:
    assert cap_volume(3.0, np.pi / 2) == pytest.approx(2 / 3 * np.pi * 27)


def test_marshall_palmer_carries_its_rain_rate() -> None:
    """The flux of volume through a horizontal plane is the rain rate, which the law meets within a fifth."""
    diameter = np.arange(0.005, 8, 0.01)
    for rate in (1.5, 5.0, 25.0):
        volume = np.pi / 6 * (diameter * 1e-3) ** 3
        metres_a_second = np.sum(marshall_palmer(diameter, rate) * volume * terminal_speed(diameter)) * 0.01
        assert metres_a_second * 3600 * 1000 == pytest.approx(rate, rel=0.2)


def test_flux_on_the_glass_is_that_of_the_formula() -> None:
    diameter = np.array([1.0])
    speed = 9.65 - 10.3 * np.exp(-0.6)
    expected = 8000 * np.exp(-4.1 * 5**-0.21) * (13.9 * 0.5 + speed * np.sqrt(3) / 2) * 5
    assert drops_on_glass(diameter, 5.0, 13.9, 5.0)[0] == pytest.approx(expected)


def test_drops_are_either_resolved_or_film() -> None:
    common = {"rain_rate_mm_h": 5.0, "speed_m_s": 13.9, "seconds": 5.0, "contact_angle": 0.6, "area_m2": 0.01}
    fine = expected_population(px_per_mm=20.0, **common)
    coarse = expected_population(px_per_mm=2.0, **common)
    nothing = expected_population(px_per_mm=0.01, **common)
    assert fine.film == 0.0 and len(fine.radius_px) == len(DIAMETERS_MM)
    assert 0 < coarse.film < nothing.film < 1
    assert coarse.radius_px.min() >= 0.9 and len(nothing.radius_px) == 0
    assert coarse.expected.sum() < fine.expected.sum()
