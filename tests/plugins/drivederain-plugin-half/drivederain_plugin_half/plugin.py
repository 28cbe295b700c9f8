"""A method that is fine, and a metric whose direction is none."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, MetricSpec


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="half-good",
            summary="a method that is fine by itself",
            kind="stage",
            implementation="drivederain_plugin_half.method:Method",
            needs_weights=False,
        )
    ]


@hookimpl
def drivederain_metrics() -> list[MetricSpec]:
    return [
        MetricSpec(
            name="half-bad",
            summary="a metric with no direction",
            implementation="drivederain_plugin_half.metric:Metric",
            variants=("rgb",),
            direction="sideways",  # type: ignore[arg-type]
        )
    ]
