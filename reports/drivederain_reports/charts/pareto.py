"""Quality against latency: what a method gives for what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drivederain_reports.charts.figure import HEIGHT, WIDTH, Figure
from drivederain_reports.charts.legend import with_legend
from drivederain_reports.charts.looks import SOFT, colour_scale, shape_scale
from drivederain_reports.figures import number
from drivederain_reports.run_about import MetricAbout


@dataclass(frozen=True)
class Cost:
    """One method: its mean score with interval (NaN without), and milliseconds an image of the whole chain."""

    method: str
    mean: float
    low: float
    high: float
    chain_ms: float


def pareto_chart(
    costs: Sequence[Cost], metric: MetricAbout, hardware: str, styles: Mapping[str, int], name: str
) -> Figure | None:
    """One point a method; the line joins those that no other one is both better and faster than.

    ``None`` with fewer than two finite points.
    """
    known = [cost for cost in costs if math.isfinite(cost.mean) and math.isfinite(cost.chain_ms) and cost.chain_ms > 0]
    if len(known) < 2:
        return None
    best = front(known, metric.sign)
    there = [method for method in styles if method in {cost.method for cost in known}]
    unit = f" {metric.unit}" if metric.unit else ""
    points = [
        {
            "method": cost.method,
            "ms": cost.chain_ms,
            "y": cost.mean,
            **({} if math.isnan(cost.low) else {"low": cost.low, "high": cost.high}),
            "words": f"{cost.method}: {number(cost.mean, metric.decimals)}{unit}, {number(cost.chain_ms, 1)} ms",
        }
        for cost in known
    ]
    line = [{"ms": cost.chain_ms, "y": cost.mean} for cost in best]

    def draw(standalone: bool) -> Any:
        import altair as alt

        across = alt.X(
            "ms:Q",
            title="latency of one image through the whole chain, ms (logarithmic)",
            scale=alt.Scale(type="log", padding=28, nice=False),
            axis=alt.Axis(tickCount=4, format="~s"),
        )
        scale = alt.Scale(zero=False)
        y = alt.Y("y:Q", title=f"{metric.short}{f', {metric.unit}' if metric.unit else ''}", scale=scale)
        colour = alt.Color("method:N", scale=colour_scale(there, styles), legend=None)
        base = alt.Chart(alt.Data(values=points)).encode(x=across)
        joined = (
            alt.Chart(alt.Data(values=line)).mark_line(color=SOFT, size=1.2, strokeDash=[4, 3]).encode(x=across, y=y)
        )
        whiskers = (
            base.transform_filter("isValid(datum.low)")
            .mark_rule(size=1.6)
            .encode(y=alt.Y("low:Q", scale=scale), y2="high:Q", color=colour)
        )
        marks = base.mark_point(filled=True, size=80, opacity=1).encode(
            y=y,
            color=colour,
            shape=alt.Shape("method:N", scale=shape_scale(there, styles), legend=None),
            description="words:N",
        )
        chart = alt.layer(joined, whiskers, marks).properties(width=WIDTH, height=HEIGHT)
        return with_legend(chart, there, styles) if standalone else chart

    return Figure(
        name=f"{name}-{metric.name}-latency",
        title=f"{metric.label} against latency",
        caption=f"Over all intensities, with 95 % intervals; on {hardware}. The dashed line joins methods that no "
        "other one is both better and faster than.",
        words=f"{metric.label} against latency; the same figures are in the tables of scores and of speed",
        draw=draw,
        methods=tuple(there),
    )


def front(costs: Sequence[Cost], sign: int) -> list[Cost]:
    """Those that no other one beats in both, fastest first."""
    kept: list[Cost] = []
    for cost in sorted(costs, key=lambda each: (each.chain_ms, -sign * each.mean)):
        if not kept or sign * cost.mean > sign * kept[-1].mean:
            kept.append(cost)
    return kept
