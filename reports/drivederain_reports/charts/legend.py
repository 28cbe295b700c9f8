"""The legend of a figure that is a file of its own; in the page it stands beside the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drivederain_reports.charts.looks import colour_scale, shape_scale


def with_legend(chart: Any, methods: Sequence[str], styles: Mapping[str, int]) -> Any:
    """``chart`` with one entry a method beside it, in its colour and with its mark."""
    import altair as alt

    names = ["rainy input" if name == "identity" else name for name in methods]
    renamed = {("rainy input" if name == "identity" else name): style for name, style in styles.items()}
    key = (
        alt.Chart(alt.Data(values=[{"legend": name} for name in names]))
        .mark_point(filled=True, size=0, opacity=1)
        .encode(
            color=alt.Color("legend:N", title=None, scale=colour_scale(names, renamed)),
            shape=alt.Shape("legend:N", title=None, scale=shape_scale(names, renamed)),
        )
    )
    return alt.layer(chart, key).resolve_scale(color="independent", shape="independent")
