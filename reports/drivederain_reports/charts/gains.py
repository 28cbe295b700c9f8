"""The gain over the rainy input by intensity: a point and its interval for each method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drivederain.results.statistics import REFERENCE
from drivederain_reports.charts.figure import HEIGHT, WIDTH, Figure
from drivederain_reports.charts.legend import with_legend
from drivederain_reports.charts.looks import SOFT, colour_scale, shape_scale
from drivederain_reports.figures import interval, signed
from drivederain_reports.run_about import MetricAbout

if TYPE_CHECKING:
    import pandas as pd


def gain_chart(
    summary: pd.DataFrame, metric: MetricAbout, intensities: Sequence[str], styles: Mapping[str, int], name: str
) -> Figure | None:
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
    points = [_point(record, metric) for record in chosen.to_dict("records")]
    there = {point["method"] for point in points}
    methods = [method for method in styles if method in there]
    bands = list(intensities)
    unit = f", {metric.unit}" if metric.unit else ""

    def draw(standalone: bool) -> Any:
        import altair as alt

        across = alt.X("intensity:N", sort=bands, title=None, axis=alt.Axis(labelAngle=0, ticks=False, domain=False))
        within = alt.XOffset("method:N", sort=methods, scale=alt.Scale(paddingOuter=0.6))
        base = alt.Chart(alt.Data(values=points)).encode(x=across, xOffset=within)
        colour = alt.Color("method:N", scale=colour_scale(methods, styles), legend=None)
        zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=SOFT, size=1.5).encode(y="zero:Q")
        whiskers = (
            base.transform_filter("isValid(datum.low)")
            .mark_rule(size=1.6)
            .encode(
                y=alt.Y("low:Q", title=f"gain in {metric.short}{unit}", axis=alt.Axis(tickCount=6)),
                y2="high:Q",
                color=colour,
            )
        )
        marks = base.mark_point(filled=True, size=60, opacity=1).encode(
            y="gain:Q",
            color=colour,
            shape=alt.Shape("method:N", scale=shape_scale(methods, styles), legend=None),
            description="words:N",
        )
        chart = alt.layer(zero, whiskers, marks).properties(width=WIDTH, height=HEIGHT)
        return with_legend(chart, methods, styles) if standalone else chart

    return Figure(
        name=f"{name}-gain-{metric.name}",
        title=f"{metric.label}: gain over the rainy input",
        caption=f"Mean of paired differences with 95 % interval{unit}. Above zero is better.",
        words=f"Gain in {metric.label} by intensity; the same figures are in the table below",
        draw=draw,
        methods=tuple(methods),
    )


def _point(record: Mapping[Any, Any], metric: MetricAbout) -> dict[str, Any]:
    gain, low, high = record["difference"], record["difference_low"], record["difference_high"]
    if metric.sign < 0:
        gain, low, high = -gain, -high, -low
    unit = f" {metric.unit}" if metric.unit else ""
    words = f"{record['method']}, {record['intensity']}: {signed(gain, metric.decimals)}{unit}"
    point = {"method": str(record["method"]), "intensity": str(record["intensity"]), "gain": gain}
    if math.isnan(low):
        return {**point, "words": words}
    return {**point, "low": low, "high": high, "words": f"{words} ({interval(low, high, metric.decimals)})"}
