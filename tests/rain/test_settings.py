"""What may be fixed, and what it changes."""

from __future__ import annotations

import pytest

from drivederain.errors import DriveDeRainError
from drivederain.rain import RainError, RainSettings
from drivederain.rain.conditions import draw_conditions
from drivederain.rain.settings import LIMITS


def test_defaults_are_the_benchmark_convention() -> None:
    settings = RainSettings()
    assert (settings.speed_m_s, settings.seconds_since_wipe, settings.hfov_deg) == (13.9, 5.0, 60.0)
    assert settings.veil and settings.streaks and settings.film


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_values_outside_the_limits_are_refused_by_name(name: str) -> None:
    low, high = LIMITS[name]
    for value in (low - 1, high + 1, float("nan"), float("inf"), "5", True):
        with pytest.raises(RainError, match=name):
            RainSettings(**{name: value})  # type: ignore[arg-type]
    whole = int if name == "run_offs" else float
    RainSettings(**{name: whole(low)})  # type: ignore[arg-type]
    RainSettings(**{name: whole(high)})  # type: ignore[arg-type]


def test_none_is_only_for_what_can_be_drawn() -> None:
    assert RainSettings(rake_deg=None).rake_deg is None
    with pytest.raises(RainError, match="speed_m_s"):
        RainSettings(speed_m_s=None)  # type: ignore[arg-type]
    with pytest.raises(RainError, match="whole number"):
        RainSettings(run_offs=1.5)  # type: ignore[arg-type]
    with pytest.raises(RainError, match="veil"):
        RainSettings(veil=1)  # type: ignore[arg-type]
    assert issubclass(RainError, DriveDeRainError)


def test_fixing_one_value_changes_no_other() -> None:
    free = draw_conditions(5, "k", "medium", RainSettings(), width=100, height=80)
    fixed = draw_conditions(5, "k", "medium", RainSettings(glass_distance_mm=150.0), width=100, height=80)
    assert fixed.glass_distance_mm == 150.0 != free.glass_distance_mm
    for name in ("rain_rate_mm_h", "aperture_mm", "rake", "contact_angle", "aspect", "far_plane_m"):
        assert getattr(free, name) == getattr(fixed, name)


def test_drawn_values_lie_in_their_ranges() -> None:
    for seed in range(50):
        drawn = draw_conditions(seed, "k", "light", RainSettings(), width=512, height=512)
        assert 1.5 * 0.778 < drawn.rain_rate_mm_h < 1.5 * 1.285
        assert 110 <= drawn.glass_distance_mm < 220 and 1.0 <= drawn.aperture_mm < 2.2
        assert 50 < drawn.far_plane_m < 110 and 0.8 <= drawn.aspect < 1.15
        assert drawn.px_per_mm == pytest.approx(256 / 0.57735026919 / drawn.glass_distance_mm)
        assert drawn.defocus_px == pytest.approx(0.5 * drawn.aperture_mm * drawn.px_per_mm)
