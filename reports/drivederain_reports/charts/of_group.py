"""The charts of one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drivederain.results.run_folder import folder_name
from drivederain.results.statistics import ALL, REFERENCE, score_matrix
from drivederain_reports.charts.curves import ACROSS, quality_curve
from drivederain_reports.charts.distributions import distribution_chart
from drivederain_reports.charts.figure import Figure
from drivederain_reports.charts.gains import gain_chart
from drivederain_reports.charts.paired_differences import paired_chart
from drivederain_reports.charts.pareto import Cost, pareto_chart
from drivederain_reports.run_about import MetricAbout
from drivederain_reports.score_tables import Group

if TYPE_CHECKING:
    import pandas as pd

GAIN_METRICS = ("psnr", "lpips")
MAIN_METRIC = "psnr"


def group_figures(
    group: Group,
    number: int,
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    timings: Sequence[Mapping[Any, Any]],
    pictures: pd.DataFrame | None,
    styles: Mapping[str, int],
    reference: str,
) -> list[Figure]:
    """All charts that the group's figures suffice for.

    Args:
        number: of the group in the page, for the names of files.
        scores: ``statistics.image_scores`` of the run.
        summary: ``statistics.summarise`` of the run.
        timings: what ``speed.speed_rows`` gives.
        pictures: the run's ``pictures.parquet``, where it has one.
        reference: what paired differences are taken to.
    """
    name = f"{number}-{folder_name(group.dataset.name)}".lower()
    own = _of_group(scores, group)
    means = _of_group(summary, group)
    with_input = [REFERENCE, *(method for method in group.methods if method != REFERENCE)]
    shown = {table.metric.name: table.metric for table in reversed(group.tables)}
    found = [
        gain_chart(means, shown[metric], group.intensities, styles, name) for metric in GAIN_METRICS if metric in shown
    ]
    if (metric := shown.get(MAIN_METRIC)) is not None:
        found.append(distribution_chart(own, metric, group.intensities, with_input, styles, name))
        over_all = ALL if ALL in group.intensities else group.intensities[0]
        matrix = score_matrix(own, group.dataset.name, group.source, over_all, "image", metric.name, metric.variant)
        found.append(paired_chart(matrix, metric, reference, with_input, styles, name))
        if pictures is not None:
            found += [quality_curve(own, pictures, column, metric, with_input, styles, name) for column in ACROSS]
        found += _pareto(group, over_all, means, metric, timings, styles, name)
    return [figure for figure in found if figure is not None]


def _of_group(frame: pd.DataFrame, group: Group) -> pd.DataFrame:
    chosen = (frame["dataset"] == group.dataset.name) & (frame["intensity_source"] == group.source)
    return frame[chosen & frame["method"].isin(group.methods)]


def _pareto(
    group: Group,
    over_all: str,
    means: pd.DataFrame,
    metric: MetricAbout,
    timings: Sequence[Mapping[Any, Any]],
    styles: Mapping[str, int],
    name: str,
) -> list[Figure | None]:
    """One chart for each kind of hardware, as latencies on different ones do not compare."""
    row = means[
        (means["region"] == "image")
        & (means["metric"] == metric.name)
        & (means["variant"] == metric.variant)
        & (means["intensity"] == over_all)
    ].set_index("method")
    costs: dict[str, list[Cost]] = {}
    for timing in timings:
        method = timing["method"]
        if timing["dataset"] == group.dataset.name and method in row.index and method != REFERENCE:
            score = row.loc[method]
            cost = Cost(method, score["mean"], score["low"], score["high"], timing["chain_median_ms"])
            costs.setdefault(str(timing["hardware"] or timing["device"]), []).append(cost)
    return [
        pareto_chart(each, metric, hardware, styles, name + (f"-{place}" if place else ""))
        for place, (hardware, each) in enumerate(costs.items())
    ]
