"""Entry point. Imports nothing heavy: `drivederain-bench list` imports it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, MetricSpec, ReportSection

if TYPE_CHECKING:
    from drivederain.results.run_folder import RunFolder


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="median-3x3",
            summary="3x3 median of each channel",
            kind="stage",
            implementation="drivederain_plugin_median.median:Median",
            needs_weights=False,
            licence="Apache-2.0",
        )
    ]


@hookimpl
def drivederain_metrics() -> list[MetricSpec]:
    return [
        MetricSpec(
            name="mae",
            summary="Mean absolute error of 8-bit RGB",
            implementation="drivederain_plugin_median.mae:MAE",
            variants=("rgb",),
            direction="lower",
        )
    ]


@hookimpl
def drivederain_report_sections(run: RunFolder) -> list[ReportSection]:
    return [ReportSection(title="Median plugin", html=f"<p>This run is called {html.escape(run.name)}.</p>")]
