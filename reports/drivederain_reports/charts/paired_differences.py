"""Differences to a reference, picture by picture: on how many a method is better, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from drivederain.results.statistics import REFERENCE, ScoreMatrix
from drivederain_reports.charts.figure import HEIGHT, WIDTH, Figure
from drivederain_reports.charts.legend import with_legend
from drivederain_reports.charts.looks import SOFT, colour_scale
from drivederain_reports.run_about import MetricAbout

POINTS = 61
"""Of a line, at most."""
FEWEST = 5
DASHES = ([1, 0], [7, 4], [2, 3], [9, 3, 2, 3])


def paired_chart(
    matrix: ScoreMatrix,
    metric: MetricAbout,
    reference: str,
    methods: Sequence[str],
    styles: Mapping[str, int],
    name: str,
) -> Figure | None:
    """A line for each method: its differences to ``reference``, the worst picture left and the best right.

    ``matrix`` is ``statistics.score_matrix`` of the stratum. ``None`` where no method has five pictures in common with
    the reference.
    """
    lines: list[dict[str, Any]] = []
    there = []
    for method in methods:
        gains = metric.sign * (matrix.of(method) - matrix.of(reference))
        gains = np.sort(gains[np.isfinite(gains)])
        if method == reference or len(gains) < FEWEST:
            continue
        there.append(method)
        shares = np.linspace(0, 1, min(POINTS, len(gains)))
        lines += [
            {"method": method, "share": 100 * share, "gain": gain}
            for share, gain in zip(shares.tolist(), np.quantile(gains, shares).tolist(), strict=True)
        ]
    if not lines:
        return None
    label = "the rainy input" if reference == REFERENCE else reference
    unit = f", {metric.unit}" if metric.unit else ""

    def draw(standalone: bool) -> Any:
        import altair as alt

        zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=SOFT, size=1.5).encode(y="zero:Q")
        curves = (
            alt.Chart(alt.Data(values=lines))
            .mark_line(size=1.8)
            .encode(
                x=alt.X("share:Q", title="images, worst to best, %", scale=alt.Scale(domain=[0, 100])),
                y=alt.Y("gain:Q", title=f"{metric.short} over {label}{unit}"),
                color=alt.Color("method:N", scale=colour_scale(there, styles), legend=None),
                strokeDash=alt.StrokeDash(
                    "method:N",
                    scale=alt.Scale(domain=there, range=[DASHES[styles.get(each, 0) % len(DASHES)] for each in there]),
                    legend=None,
                ),
            )
        )
        chart = alt.layer(zero, curves).properties(width=WIDTH, height=HEIGHT)
        return with_legend(chart, there, styles) if standalone else chart

    return Figure(
        name=f"{name}-{metric.name}-paired",
        title=f"{metric.label}: differences to {label}",
        caption="The differences on all images, each method's own sorted. Where a line crosses zero: on so many images "
        "the method is worse.",
        words=f"Sorted differences in {metric.label} to {label} for {len(there)} methods",
        draw=draw,
        methods=tuple(there),
    )
