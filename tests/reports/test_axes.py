"""Axes of charts, where all values are equal too."""

from __future__ import annotations

import pandas as pd
import pytest

from drivederain_reports.axes import decimals_of, round_logarithms, round_scale
from drivederain_reports.gain_chart import gain_chart
from drivederain_reports.run_about import MetricAbout


@pytest.mark.parametrize("value", [0.0, 0.25, -3.0, 1e15, 1e-13])
def test_equal_ends_are_moved_apart(value: float) -> None:
    low, high, step = round_scale(value, value)
    assert low < value < high and step > 0


def test_ticks_are_written_as_what_they_are() -> None:
    assert [decimals_of(step) for step in (2.5, 0.25, 5.0, 0.001, 200.0)] == [1, 2, 0, 3, 0]


def test_round_logarithms_lie_between_the_ends() -> None:
    assert round_logarithms(0.015, 0.6) == pytest.approx([0.02, 0.05, 0.1, 0.2, 0.5])
    assert round_logarithms(1e-6, 2.0) == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0])


def test_a_method_that_changes_nothing_has_a_chart() -> None:
    row = {"method": "copy", "intensity": "all", "region": "image", "metric": "psnr", "variant": "rgb"}
    summary = pd.DataFrame([row | {"difference": 0.0, "difference_low": 0.0, "difference_high": 0.0}])
    chart = gain_chart(summary, MetricAbout(name="psnr", variant="rgb", direction="higher"), ["all"], {"copy": 0})
    assert chart is not None
    assert chart.top < chart.zero < chart.bottom and chart.marks[0].y == chart.zero
