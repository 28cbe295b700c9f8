"""The five hooks. A plugin is an installed distribution with an entry point in the group ``drivederain``: a module
whose functions carry ``@hookimpl``. The module must not import torch: it is imported by ``drivederain-bench list``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from drivederain.specs import DatasetSpec, MethodSpec, MetricSpec, ReportSection

if TYPE_CHECKING:
    from drivederain.results.cell import FinishedCell
    from drivederain.results.run_folder import RunFolder

PROJECT = "drivederain"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def drivederain_methods() -> Iterable[MethodSpec]:  # type: ignore[empty-body]
    """Return the methods of this plugin.

    Example::

        @hookimpl
        def drivederain_methods():
            return [MethodSpec(name="median", summary="3x3 median", kind="stage",
                               implementation="my_plugin.median:Median", needs_weights=False)]
    """


@hookspec
def drivederain_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Return the kinds of data set of this plugin.

    Example::

        @hookimpl
        def drivederain_datasets():
            return [DatasetSpec(name="raindrop", summary="Raindrop test_a", implementation="my_plugin.data:Raindrop")]
    """


@hookspec
def drivederain_metrics() -> Iterable[MetricSpec]:  # type: ignore[empty-body]
    """Return the metrics of this plugin.

    Example::

        @hookimpl
        def drivederain_metrics():
            return [MetricSpec(name="mae", summary="mean absolute error", implementation="my_plugin.mae:MAE",
                               variants=("rgb",), direction="lower")]
    """


@hookspec
def drivederain_report_sections(run: RunFolder) -> Iterable[ReportSection]:  # type: ignore[empty-body]
    """Return sections to add to the report of ``run``.

    Example::

        @hookimpl
        def drivederain_report_sections(run):
            return [ReportSection(title="Rows", html=f"<p>{len(run.results())} rows</p>")]
    """


@hookspec
def drivederain_cell_finished(cell: FinishedCell) -> None:
    """Called after each cell (one chain prefix on one data set) was restored and scored, or failed.

    Example::

        @hookimpl
        def drivederain_cell_finished(cell):
            print(cell.method, cell.dataset, cell.status)
    """
