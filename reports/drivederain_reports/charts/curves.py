"""Quality against how much it rains: means over groups of pictures with their intervals, joined by lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drivederain.results.intervals import codes_of, estimates_of
from drivederain.results.statistics import REFERENCE
from drivederain_reports.charts.figure import HEIGHT, WIDTH, Figure
from drivederain_reports.charts.legend import with_legend
from drivederain_reports.charts.looks import colour_scale, shape_scale
from drivederain_reports.figures import interval, number
from drivederain_reports.run_about import MetricAbout

if TYPE_CHECKING:
    import pandas as pd

MOST_GROUPS, FEWEST_GROUPS, FEWEST_PICTURES = 8, 3, 5
ACROSS = {
    "rain_rate_mm_h": ("rain rate", "rain rate, mm/h", 1.0, "by rain rate"),
    "coverage": ("share of the picture behind drops", "share of the picture behind drops, %", 100.0, "by coverage"),
}
"""By column of ``pictures.parquet``: in words, as a title of the axis, times what, and in a heading."""


def quality_curve(
    scores: pd.DataFrame,
    pictures: pd.DataFrame,
    column: str,
    metric: MetricAbout,
    methods: Sequence[str],
    styles: Mapping[str, int],
    name: str,
) -> Figure | None:
    """The curve of one data set and source of the intensity, the rainy input among the ``methods``.

    Pictures are put in up to eight groups of equal size by ``column``, at least five in each.

    Args:
        scores: ``statistics.image_scores`` of the data set and source.
        pictures: the run's ``pictures.parquet``.

    Returns:
        ``None`` with fewer than three groups, or where all pictures have the same value.
    """
    words, title, factor, by = ACROSS[column]
    own = scores[
        (scores["region"] == "image") & (scores["metric"] == metric.name) & (scores["variant"] == metric.variant)
    ]
    known = pictures[pictures["dataset"].astype(str).isin(set(own["dataset"].astype(str)))]
    rain = dict(zip(known["image"].astype(str), known[column], strict=True))
    images = sorted({str(image) for image in own["image"].unique()} & set(rain), key=lambda image: (rain[image], image))
    images = [image for image in images if not math.isnan(rain[image])]
    groups = min(MOST_GROUPS, len(images) // FEWEST_PICTURES)
    if groups < FEWEST_GROUPS or rain[images[0]] == rain[images[-1]]:
        return None
    place = {image: number for number, image in enumerate(images)}
    chosen = own[own["image"].astype(str).isin(place)]
    there = [method for method in methods if method in set(chosen["method"].astype(str))]
    values = np.full((len(images), len(there)), np.nan)
    rows = np.array([place[str(image)] for image in chosen["image"]], dtype=np.intp)
    columns = np.array(
        [there.index(str(method)) if method in there else -1 for method in chosen["method"]], dtype=np.intp
    )
    kept = columns >= 0
    values[rows[kept], columns[kept]] = chosen["value"].to_numpy(dtype=float)[kept]
    scenes = np.zeros(len(images), dtype=np.intp)
    scenes[rows] = codes_of(chosen["scene"])[0]
    unit = f" {metric.unit}" if metric.unit else ""
    points: list[dict[str, Any]] = []
    for group, members in enumerate(np.array_split(np.arange(len(images)), groups)):
        x = factor * float(np.mean([rain[images[member]] for member in members]))
        found = estimates_of(values[members], scenes[members], (name, column, str(group)))
        for method, estimate in zip(there, found, strict=True):
            if not math.isfinite(estimate.mean):
                continue
            label = "rainy input" if method == REFERENCE else method
            text = f"{label} at {x:.3g}: {number(estimate.mean, metric.decimals)}{unit}"
            point = {"method": method, "x": x, "y": estimate.mean}
            if not math.isnan(estimate.low):
                text += f" ({interval(estimate.low, estimate.high, metric.decimals)}), {estimate.finite} images"
                point |= {"low": estimate.low, "high": estimate.high}
            points.append({**point, "words": text})
    if not points:
        return None

    def draw(standalone: bool) -> Any:
        import altair as alt

        colour = alt.Color("method:N", scale=colour_scale(there, styles), legend=None)
        base = alt.Chart(alt.Data(values=points)).encode(
            x=alt.X("x:Q", title=title, scale=alt.Scale(zero=False, nice=False, padding=12)), color=colour
        )
        y = alt.Y(
            "y:Q", title=f"{metric.short}{f', {metric.unit}' if metric.unit else ''}", scale=alt.Scale(zero=False)
        )
        bands = (
            base.transform_filter("isValid(datum.low)")
            .mark_area(opacity=0.07, line=False)
            .encode(y=alt.Y("low:Q", scale=alt.Scale(zero=False)), y2="high:Q")
        )
        lines = base.mark_line(size=1.8).encode(
            y=y,
            strokeDash=alt.StrokeDash(
                "method:N",
                scale=alt.Scale(domain=there, range=[[6, 4] if each == REFERENCE else [1, 0] for each in there]),
                legend=None,
            ),
        )
        marks = base.mark_point(filled=True, size=42, opacity=1).encode(
            y=y,
            shape=alt.Shape("method:N", scale=shape_scale(there, styles), legend=None),
            description="words:N",
        )
        chart = alt.layer(bands, lines, marks).properties(width=WIDTH, height=HEIGHT)
        return with_legend(chart, there, styles) if standalone else chart

    return Figure(
        name=f"{name}-{metric.name}-{by.replace(' ', '-')}",
        title=f"{metric.label} {by}",
        caption=f"Means of {groups} groups of equal size, with 95 % intervals. The rainy input is dashed.",
        words=f"{metric.label} against {words}, for {len(there)} methods in {groups} groups of pictures",
        draw=draw,
        methods=tuple(there),
    )
