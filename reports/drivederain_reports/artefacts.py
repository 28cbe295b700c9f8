"""What methods do to pictures beside taking off rain, and what they do to pictures without any."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivederain.results.hallucination import Suspects, suspects
from drivederain.results.statistics import ALL, REFERENCE
from drivederain_reports.figures import MISSING, interval, number, signed
from drivederain_reports.run_about import MetricAbout
from drivederain_reports.score_tables import Group

if TYPE_CHECKING:
    import pandas as pd

ARTEFACTS = ("colour_shift", "blur", "altered", "visible_drops", "seams", "niqe")
"""By metric; outside the drops where masks say where they are, and the metric knows regions."""
HARM = ("psnr", "ssim", "lpips", "colour_shift", "blur", "altered", "visible_drops")
"""Of clear input."""


@dataclass(frozen=True)
class Column:
    """One metric in one region."""

    metric: MetricAbout
    region: str
    n: int


@dataclass(frozen=True)
class Figure:
    """A mean, and whether it is worse than that of the input."""

    mean: str
    interval: str
    difference: str
    """To the input, as the metric counts; "" without one."""
    change: str
    """``better``, ``worse``, ``unclear`` (the interval includes zero), or "" without an interval."""


@dataclass(frozen=True)
class Row:
    """One method."""

    method: str
    figures: tuple[Figure, ...]
    suspects: Suspects | None = None


@dataclass(frozen=True)
class ArtefactTable:
    """Of one group, over all intensities."""

    group: Group
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def artefact_tables(
    groups: Sequence[Group], scores: pd.DataFrame, summary: pd.DataFrame, metrics: Sequence[MetricAbout]
) -> list[ArtefactTable]:
    """One for each group of which any artefact was scored. ``scores``, ``summary``: of ``statistics``."""
    found = []
    for group in groups:
        over_all = ALL if ALL in group.intensities else next(iter(group.intensities), ALL)
        table = _table(group, summary, metrics, ARTEFACTS, over_all)
        flags = suspects(scores, group.dataset.name, group.source, over_all, group.methods)
        if table is None and not flags:
            continue
        columns, rows = table or ((), tuple(Row(method, ()) for method in group.methods))
        by_method = {flag.method: flag for flag in flags}
        rows = tuple(Row(row.method, row.figures, by_method.get(row.method)) for row in rows)
        found.append(ArtefactTable(group, columns, rows))
    return found


def harm_tables(groups: Sequence[Group], summary: pd.DataFrame, metrics: Sequence[MetricAbout]) -> list[ArtefactTable]:
    """One for each group of clear input."""
    found = []
    for group in groups:
        table = _table(group, summary, metrics, HARM, next(iter(group.intensities), ALL))
        if table is not None:
            columns, rows = table
            kept = tuple(row for row in rows if row.method != REFERENCE)
            found.append(ArtefactTable(group, columns, kept))
    return found


def _table(
    group: Group, summary: pd.DataFrame, metrics: Sequence[MetricAbout], names: Sequence[str], intensity: str
) -> tuple[tuple[Column, ...], tuple[Row, ...]] | None:
    own = summary[
        (summary["dataset"] == group.dataset.name)
        & (summary["intensity_source"] == group.source)
        & (summary["intensity"] == intensity)
        & (summary["n"] > 0)
    ]
    records = {(r["metric"], r["variant"], r["region"], r["method"]): r for r in own.to_dict("records")}
    columns = []
    for metric in sorted((each for each in metrics if each.name in names), key=lambda each: names.index(each.name)):
        for region in ("background", "image"):
            there = [r for key, r in records.items() if key[:3] == (metric.name, metric.variant, region)]
            if there:
                columns.append(Column(metric, region, max(int(r["n"]) for r in there)))
                break
    if not columns:
        return None
    rows = []
    for method in group.methods:
        keys = [(column.metric.name, column.metric.variant, column.region, method) for column in columns]
        figures = (_figure(column.metric, records.get(key)) for column, key in zip(columns, keys, strict=True))
        if any(key in records for key in keys):
            rows.append(Row(method, tuple(figures)))
    return tuple(columns), tuple(rows)


def _figure(metric: MetricAbout, record: dict[Any, Any] | None) -> Figure:
    if record is None:
        return Figure(MISSING, "", "", "")
    difference, low, high = (record[name] for name in ("difference", "difference_low", "difference_high"))
    better = low > 0 if metric.sign > 0 else high < 0
    worse = high < 0 if metric.sign > 0 else low > 0
    change = "" if math.isnan(low) else "better" if better else "worse" if worse else "unclear"
    return Figure(
        number(record["mean"], metric.decimals),
        interval(record["low"], record["high"], metric.decimals),
        "" if math.isnan(difference) else signed(difference, metric.decimals),
        change,
    )
