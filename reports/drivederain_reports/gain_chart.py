"""Geometry of the chart of gains over the rainy input: a point and its interval for each method and intensity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivederain.results.statistics import REFERENCE
from drivederain_reports.axes import Tick, decimals_of, round_scale
from drivederain_reports.figures import interval, number, signed
from drivederain_reports.run_about import MetricAbout

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 560.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 8.0, 14.0, 30.0
STYLES = 8
"""Colours and marks in the style sheet; with more methods they start over."""


@dataclass(frozen=True)
class Mark:
    """A method's gain at one intensity, in user units of the drawing."""

    x: float
    y: float
    y_low: float | None
    y_high: float | None
    style: int
    text: str
    """What a pointer or screen reader gets."""


@dataclass(frozen=True)
class GainChart:
    """One drawing; ``marks`` may overlap only where the figures do."""

    metric: MetricAbout
    bands: tuple[Tick, ...]
    edges: tuple[float, ...]
    ticks: tuple[Tick, ...]
    zero: float
    marks: tuple[Mark, ...]
    legend: tuple[tuple[str, int], ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


def gain_chart(
    summary: pd.DataFrame, metric: MetricAbout, intensities: Sequence[str], styles: dict[str, int]
) -> GainChart | None:
    """The chart of one data set and source (``summary`` holds only their rows), or ``None`` without a finite gain.

    ``styles`` gives each method its colour and mark, the same in all charts of a page.
    """
    chosen = summary[
        (summary["region"] == "image")
        & (summary["metric"] == metric.name)
        & (summary["variant"] == metric.variant)
        & (summary["method"] != REFERENCE)
        & summary["difference"].notna()
        & summary["intensity"].isin(list(intensities))
    ]
    if chosen.empty:
        return None
    points = [
        (
            str(r["method"]),
            str(r["intensity"]),
            *_oriented(r["difference"], r["difference_low"], r["difference_high"], metric.sign),
        )
        for r in chosen.to_dict("records")
    ]
    methods = [name for name in styles if name in {point[0] for point in points}]
    ends = [value for point in points for value in point[2:] if not math.isnan(value)]
    bottom, top, step = round_scale(min(0.0, *ends), max(0.0, *ends))

    def y(value: float) -> float:
        return round(TOP + (top - value) / (top - bottom) * (HEIGHT - TOP - BOTTOM), 2)

    band = (WIDTH - LEFT - RIGHT) / len(intensities)
    marks = []
    for method, intensity, gain, low, high in points:
        place = (methods.index(method) + 1) / (len(methods) + 1)
        x = LEFT + band * (intensities.index(intensity) + 0.12 + 0.76 * place)
        has_interval = not math.isnan(low)
        unit = f" {metric.unit}" if metric.unit else ""
        text = f"{method}, {intensity}: {signed(gain, metric.decimals)}{unit}"
        if has_interval:
            text += f" ({interval(low, high, metric.decimals)})"
        marks.append(
            Mark(
                round(x, 2),
                y(gain),
                y(low) if has_interval else None,
                y(high) if has_interval else None,
                styles[method],
                text,
            )
        )
    decimals = decimals_of(step)
    lines = range(round(bottom / step), round(top / step) + 1)
    return GainChart(
        metric=metric,
        bands=tuple(Tick(round(LEFT + band * (i + 0.5), 2), name) for i, name in enumerate(intensities)),
        edges=tuple(round(LEFT + band * i, 2) for i in range(1, len(intensities))),
        ticks=tuple(Tick(y(i * step), number(i * step, decimals)) for i in lines),
        zero=y(0.0),
        marks=tuple(marks),
        legend=tuple((name, styles[name]) for name in methods),
    )


def _oriented(gain: float, low: float, high: float, sign: int) -> tuple[float, float, float]:
    return (gain, low, high) if sign > 0 else (-gain, -high, -low)
