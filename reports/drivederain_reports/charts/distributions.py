"""How the scores of a method's pictures are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drivederain.results.statistics import REFERENCE
from drivederain_reports.charts.figure import HEIGHT, WIDTH, Figure
from drivederain_reports.charts.legend import with_legend
from drivederain_reports.charts.looks import PANEL, colour_scale
from drivederain_reports.figures import number
from drivederain_reports.run_about import MetricAbout

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST = 5
"""Pictures of a box."""


def distribution_chart(
    scores: pd.DataFrame,
    metric: MetricAbout,
    intensities: Sequence[str],
    methods: Sequence[str],
    styles: Mapping[str, int],
    name: str,
) -> Figure | None:
    """A box for each method and intensity: quartiles, and whiskers to the 5th and the 95th percentile.

    ``scores``: ``statistics.image_scores`` of one data set and source. ``None`` where no box has five finite scores.
    """
    own = scores[
        (scores["region"] == "image") & (scores["metric"] == metric.name) & (scores["variant"] == metric.variant)
    ]
    boxes = []
    for (method, intensity), part in own.groupby(["method", "intensity"], observed=True):
        values = part["value"].to_numpy(dtype=float)
        values = values[np.isfinite(values)]
        if len(values) < FEWEST or method not in methods or intensity not in intensities:
            continue
        low, first, median, third, high = np.quantile(values, QUANTILES).tolist()
        label = "rainy input" if method == REFERENCE else method
        words = (
            f"{label}, {intensity}: median {number(median, metric.decimals)}, half of the images from "
            f"{number(first, metric.decimals)} to {number(third, metric.decimals)}"
        )
        boxes.append(
            {
                "method": str(method), "intensity": str(intensity), "low": low, "first": first, "median": median,
                "third": third, "high": high, "words": words,
            }
        )  # fmt: skip
    if not boxes:
        return None
    there = [method for method in methods if method in {box["method"] for box in boxes}]
    bands = [intensity for intensity in intensities if intensity in {box["intensity"] for box in boxes}]

    def draw(standalone: bool) -> Any:
        import altair as alt

        scale = alt.Scale(zero=False)
        title = f"{metric.short}{f', {metric.unit}' if metric.unit else ''}"
        base = alt.Chart(alt.Data(values=boxes)).encode(
            x=alt.X("intensity:N", sort=bands, title=None, axis=alt.Axis(labelAngle=0, ticks=False, domain=False)),
            xOffset=alt.XOffset("method:N", sort=there),
            color=alt.Color("method:N", scale=colour_scale(there, styles), legend=None),
        )
        whiskers = base.mark_rule(size=1.4).encode(y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q")
        body = base.mark_bar(size=9).encode(y=alt.Y("first:Q", scale=scale), y2="third:Q", description="words:N")
        middle = base.mark_tick(size=9, thickness=2).encode(y=alt.Y("median:Q", scale=scale), color=alt.value(PANEL))
        chart = alt.layer(whiskers, body, middle).properties(width=WIDTH, height=HEIGHT)
        return with_legend(chart, there, styles) if standalone else chart

    return Figure(
        name=f"{name}-{metric.name}-distribution",
        title=f"{metric.label}: distribution over images",
        caption="Boxes hold the middle half of the images, the line in them is the median, whiskers end at the 5th and "
        "95th percentile.",
        words=f"Distribution of {metric.label} over images by intensity and method",
        draw=draw,
        methods=tuple(there),
    )
