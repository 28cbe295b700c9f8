"""Snell, Fresnel, and what a drop shows."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from drivederain.rain import RainSettings, refraction
from drivederain.rain.canvas import make_canvas
from drivederain.rain.conditions import draw_conditions
from drivederain.rain.refraction import (
    WATER_INDEX,
    Floats,
    fresnel_transmission,
    light_through,
    refract,
    view_through,
    wet_cells,
)
from drivederain.rain.scene import scene_from_quarter


def _ray(angle: float) -> tuple[Floats, Floats, Floats]:
    return np.float32([np.sin(angle)]), np.float32([0.0]), np.float32([np.cos(angle)])


@pytest.mark.parametrize("angle_deg", [0.0, 20.0, 55.0, 80.0])
def test_refraction_into_water_obeys_snell(angle_deg: float) -> None:
    angle = np.radians(angle_deg)
    out, cos_in, cos_out, passes = refract(_ray(angle), _ray(0.0), 1 / WATER_INDEX)
    assert out[0][0] == pytest.approx(np.sin(angle) / WATER_INDEX, abs=1e-6)
    assert np.hypot(out[0][0], out[2][0]) == pytest.approx(1, abs=1e-6)
    assert (cos_in[0], cos_out[0]) == pytest.approx((np.cos(angle), out[2][0]), abs=1e-6)
    assert passes[0]


def test_light_is_totally_reflected_beyond_the_critical_angle() -> None:
    critical = np.arcsin(1 / WATER_INDEX)
    for angle, expected in ((critical - 0.01, True), (critical + 0.01, False)):
        _, cos_in, cos_out, passes = refract(_ray(angle), _ray(0.0), WATER_INDEX)
        assert bool(passes[0]) is expected
        assert (fresnel_transmission(cos_in, cos_out, passes)[0] > 0) == expected


def test_fresnel_at_normal_incidence() -> None:
    one = np.ones(1, np.float32)
    expected = 1 - ((WATER_INDEX - 1) / (WATER_INDEX + 1)) ** 2
    assert fresnel_transmission(one, one, np.array([True]))[0] == pytest.approx(expected, abs=1e-5)


def test_a_flat_sheet_of_water_on_upright_glass_shifts_nothing_and_a_drop_inverts() -> None:
    settings = RainSettings(rake_deg=90.0, glass_distance_mm=100.0, aperture_mm=0.0)
    conditions = draw_conditions(0, "", "light", settings, width=200, height=200)
    canvas = make_canvas(conditions)
    rows, columns = np.mgrid[: canvas.height, : canvas.width].astype(np.float32)
    flat = np.ones((canvas.height, canvas.width), np.float32)
    cells = wet_cells(flat, flat, 1)
    x, y, passed = view_through(cells, conditions, canvas)
    assert x == pytest.approx(cells.column - canvas.margin, abs=0.01)
    assert y == pytest.approx(cells.row - canvas.margin, abs=0.01)
    assert passed.min() > 0.9

    middle = (canvas.width - 1) / 2
    bulge = np.maximum(12 - ((columns - middle) ** 2 + (rows - middle) ** 2) / 60, 0).astype(np.float32)
    cells = wet_cells(bulge, np.clip(bulge, 0, 1), 1)
    x, y, _ = view_through(cells, conditions, canvas)
    inner = np.hypot(cells.column - middle, cells.row - middle) < 15
    assert np.corrcoef(x[inner], cells.column[inner])[0, 1] < -0.95
    assert np.corrcoef(y[inner], cells.row[inner])[0, 1] < -0.95


def test_a_coarser_layer_keeps_slopes_and_places() -> None:
    x = np.arange(96, dtype=np.float32)
    ramp = np.tile(5 + 0.3 * x, (96, 1))
    for step in (1, 2, 4):
        cells = wet_cells(ramp, np.ones_like(ramp), step)
        inside = (cells.column > 0) & (cells.column < cells.shape[1] - 1)
        assert cells.slope_x[inside] == pytest.approx(0.3, abs=1e-4)
        assert np.abs(cells.slope_y[inside]).max() < 1e-4
        assert cells.shape == (96 // step, 96 // step)
    assert cv2.resize(ramp, (24, 24), interpolation=cv2.INTER_AREA)[0, 0] == pytest.approx(5.45, abs=1e-3)


def test_light_does_not_depend_on_how_many_cells_are_worked_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    conditions = draw_conditions(0, "", "heavy", RainSettings(), width=200, height=150)
    canvas = make_canvas(conditions)
    rng = np.random.default_rng(0)
    height = cv2.GaussianBlur(rng.random((canvas.height, canvas.width)).astype(np.float32), (0, 0), 2) * 6
    scene = scene_from_quarter(rng.random((37, 50, 3)).astype(np.float32))
    cells = wet_cells(height, np.clip(height - 2, 0, 1), 1)
    assert len(cells.row) > 10_000
    blocks = light_through(cells, scene, conditions, canvas)
    monkeypatch.setattr(refraction, "_BLOCK", 1 << 30)
    assert np.array_equal(light_through(cells, scene, conditions, canvas), blocks)
    # Small drops show the coarse copy alone, wide ones the fine one.
    flat = replace(cells, mean_height=np.zeros_like(cells.mean_height))
    grey = replace(scene, quarter=np.zeros_like(scene.quarter))
    assert np.array_equal(light_through(flat, grey, conditions, canvas), light_through(flat, scene, conditions, canvas))
    assert light_through(cells, grey, conditions, canvas).mean() < 0.9 * blocks.mean()
