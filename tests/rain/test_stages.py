"""Colour, caps, aperture, veil, streaks and run-offs, each by itself."""

from __future__ import annotations

import numpy as np
import pytest

from drivederain.rain import RainSettings
from drivederain.rain.canvas import Canvas, make_canvas
from drivederain.rain.colour import encode_srgb, to_linear
from drivederain.rain.conditions import Conditions, draw_conditions
from drivederain.rain.defocus import disc
from drivederain.rain.drops import make_caps, sum_of_cubes
from drivederain.rain.run_offs import draw_run_offs, wiped_and_ridge
from drivederain.rain.streaks import STRONGEST, draw_streaks
from drivederain.rain.veil import extinction_per_km, make_veil


def _conditions(width: int = 320, height: int = 240, intensity: str = "heavy", **fixed: float) -> Conditions:
    return draw_conditions(3, "stage", intensity, RainSettings(**fixed), width=width, height=height)  # type: ignore[arg-type]


def test_every_code_survives_linear_light() -> None:
    codes = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    back = np.empty_like(codes)
    encode_srgb(to_linear(codes), back)
    assert np.array_equal(back, codes)
    assert to_linear(np.full((1, 1, 3), 188, np.uint8))[0, 0, 0] == pytest.approx(0.5029, abs=1e-4)


def test_light_over_white_is_clipped() -> None:
    out = np.empty((1, 2, 3), np.uint8)
    encode_srgb(np.full((1, 2, 3), 1.8, np.float32), out)
    assert (out == 255).all()


def test_a_cap_has_the_height_of_its_formula_and_caps_add_as_cubes() -> None:
    canvas, angle, radius = Canvas(81, 61, 0, 1), np.radians(40), 15.0
    place = np.array([40.0]), np.array([30.0]), np.array([radius])
    cubes = sum_of_cubes(make_caps(*place, 1.0, angle), canvas)
    top = radius / np.sin(angle) * (1 - np.cos(angle))
    assert cubes[30, 40] ** (1 / 3) == pytest.approx(top, rel=1e-5)
    assert np.count_nonzero(cubes) == pytest.approx(np.pi * radius**2, rel=0.02)
    twice = make_caps(*(np.repeat(value, 2) for value in place), 1.0, angle)
    assert np.allclose(sum_of_cubes(twice, canvas), 2 * cubes)


def test_caps_are_cut_at_the_edge_and_ignored_outside() -> None:
    canvas = Canvas(40, 30, 0, 1)
    whole = sum_of_cubes(make_caps(np.array([20.0]), np.array([15.0]), np.array([8.0]), 1.0, 0.6), canvas)
    cut = sum_of_cubes(make_caps(np.array([0.0]), np.array([15.0]), np.array([8.0]), 1.0, 0.6), canvas)
    assert np.allclose(cut[:, :8], whole[:, 20:28])
    assert not cut[:, 9:].any()
    far = sum_of_cubes(make_caps(np.array([-300.0]), np.array([15.0]), np.array([8.0]), 1.0, 0.6), canvas)
    assert not far.any()


@pytest.mark.parametrize("aspect", [0.7, 1.0, 1.4])
def test_the_box_that_a_cap_is_looked_for_in_holds_all_of_it(aspect: float) -> None:
    canvas, angle = Canvas(60, 60, 0, 1), 0.6
    row, column = np.mgrid[:60, :60].astype(np.float64)
    for radius in (0.9, 1.0, 2.0, 3.0 - 1e-9, 3.0, 3.2, 7.99, 8.0):
        for x, y in ((30.0, 30.0), (30.5, 29.25), (30 - 1e-9, 30 - 1e-9), (30 + 1e-9, 30.999), (0.2, 59.7)):
            place = np.array([x]), np.array([y]), np.array([radius])
            cubes = sum_of_cubes(make_caps(*place, aspect, angle), canvas)
            sphere = radius / np.sin(angle)
            square = sphere**2 - (column - x) ** 2 - ((row - y) / aspect) ** 2
            height = np.maximum(np.sqrt(np.maximum(square, 0)) - sphere * np.cos(angle), 0)
            assert np.allclose(cubes, height**3, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("radius", [0.6, 1.0, 3.7, 12.0])
def test_the_aperture_is_a_disc_of_that_radius(radius: float) -> None:
    kernel = disc(radius)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert np.allclose(kernel, kernel.T) and np.allclose(kernel, kernel[::-1])
    # The share of a disc within half a pixel of its diameter, by the area of circular segments.
    half = 0.5 / radius
    share = 2 / np.pi * (half * np.sqrt(1 - half**2) + np.arcsin(half))
    assert kernel[len(kernel) // 2].sum() == pytest.approx(share, rel=0.02)


def test_the_veil_thickens_with_rain_and_with_distance() -> None:
    white = np.ones(3, np.float32)
    thin, thick = (make_veil(_conditions(rain_rate_mm_h=rate), white).transmission for rate in (1.0, 50.0))
    assert thin.dtype == np.float32 and (thick < thin).all()
    assert thick[0] < thick[-1] and (np.diff(thick) > -1e-5).all()
    assert extinction_per_km(1.0) == pytest.approx(0.312)


def test_streaks_stay_faint_and_keep_their_share_of_the_picture() -> None:
    light = np.full(3, 0.2, np.float32)
    small, large = (draw_streaks(1, "s", _conditions(side, side), light).opacity for side in (512, 1024))
    assert 0 < small.max() <= STRONGEST and large.shape == (1024, 1024)
    assert large.mean() == pytest.approx(small.mean(), rel=0.1)


def test_run_offs_come_in_the_number_of_the_stratum_and_wipe_their_path() -> None:
    counts = set()
    for seed in range(30):
        conditions = draw_conditions(seed, "r", "medium", RainSettings(), width=200, height=150)
        canvas = make_canvas(conditions)
        paths = draw_run_offs(seed, "r", conditions, canvas, np.zeros((0, 3)))
        counts.add(len(paths))
        assert all((np.diff(path.y) > 0).all() for path in paths)
    assert counts == {2, 3, 4, 5}
    wiped, ridge = wiped_and_ridge(paths, canvas)
    assert wiped.min() < 0.05 and ridge.max() > 0.7
    assert wiped[ridge > 0.7].mean() < 0.2


def test_heavy_drops_are_the_first_to_run() -> None:
    conditions = _conditions(run_offs=2)
    canvas = make_canvas(conditions)
    running = np.array([[100.0, 90.0, 4.0]])
    first, second = draw_run_offs(0, "r", conditions, canvas, running)
    assert first.radius == 4.0
    assert abs(first.x[0] - 100.0) < 5
    assert second.radius >= 2.2 * conditions.px_per_mm
