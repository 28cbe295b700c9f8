"""Tables of means: methods down, intensities across, with intervals and gains over the rainy input."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivederain.results.statistics import ALL, SCORE, score_matrix
from drivederain_reports.figures import MISSING, interval, number, plural, signed
from drivederain_reports.ranking import Ranking, Stratum, rank
from drivederain_reports.run_about import DatasetAbout, MetricAbout
from drivederain_reports.stepped_down import stepped_down

if TYPE_CHECKING:
    import pandas as pd

INTENSITY_ORDER = ("light", "medium", "heavy")
HEADLINE = ("psnr", "ssim", "lpips")
"""Metrics that are shown open; the others are folded."""
REGIONS = ("drops", "background")


@dataclass(frozen=True)
class Cell:
    """One method at one intensity, ready to print."""

    mean: str
    interval: str
    gain: str
    gain_interval: str
    change: str
    """Of the gain's interval: ``better``, ``worse``, ``unclear`` (it includes zero), or ``""`` without one."""
    notes: tuple[str, ...]
    best: bool = False
    level: bool = False
    """Not the best, but not told apart from it either."""


@dataclass(frozen=True)
class Column:
    """An intensity; ``n`` is what the rainy input has."""

    intensity: str
    region: str
    images: int
    scenes: int


@dataclass(frozen=True)
class Table:
    """One metric on one data set and source of the intensity."""

    metric: MetricAbout
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    has_levels: bool

    @property
    def headline(self) -> bool:
        return self.metric.name in HEADLINE


@dataclass(frozen=True)
class Group:
    """What is shown together: one data set with one source of its intensities, and methods whose weights are of one
    class. Groups are never averaged, and nothing is ranked across them."""

    dataset: DatasetAbout
    source: str
    weights: str
    """The class of the weights; "" where all methods of the data set have the same, or none."""
    methods: tuple[str, ...]
    images: int
    scenes: int
    borderline: int
    seen: tuple[tuple[str, int], ...]
    """Methods, and how many of these pictures were in their training set."""
    stepped_down: dict[str, str]
    """Methods for which memory did not suffice as planned, with how many pictures and what was made smaller."""
    intensities: tuple[str, ...]
    tables: tuple[Table, ...]
    regions: tuple[Table, ...]
    rankings: dict[tuple[str, str], Ranking]
    """By intensity and name of the headline metric."""


def intensities_of(frame: pd.DataFrame) -> list[str]:
    """The intensities in ``frame``, light first, ``all`` last and only where there are two others."""
    names = set(frame["intensity"].unique()) - {ALL}
    ordered = [name for name in INTENSITY_ORDER if name in names] + sorted(names - set(INTENSITY_ORDER))
    return [*ordered, ALL] if len(ordered) > 1 else ordered


def groups(
    results: pd.DataFrame,
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    datasets: Sequence[DatasetAbout],
    metrics: Sequence[MetricAbout],
    methods: Sequence[str],
) -> list[Group]:
    """Every group of the run in the order of ``run.json``, those without scores included.

    ``scores`` and ``summary`` are ``statistics.image_scores`` and ``statistics.summarise`` of ``results``.
    """
    found, words = [], stepped_down(results)
    for dataset in datasets:
        of_set = results[results["dataset"] == dataset.name]
        for source in sorted(of_set["intensity_source"].unique()):
            rows = of_set[of_set["intensity_source"] == source]
            means = summary[(summary["dataset"] == dataset.name) & (summary["intensity_source"] == source)]
            own = scores[(scores["dataset"] == dataset.name) & (scores["intensity_source"] == source)]
            for weights, names in _classes(rows, methods):
                found.append(_group(rows, own, means, dataset, source, weights, metrics, names, words))
    return found


def _classes(rows: pd.DataFrame, methods: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The methods by the class of their weights, in their order; those without weights are in every class.

    Official weights were made for other data and with other means than those trained here, and those of a user are
    anything: their scores do not say which method is better.
    """
    told = rows.drop_duplicates("method").set_index("method")["weights_class"]
    classes = {name: "+".join(sorted({*str(told[name]).split("+")} - {"none", ""})) for name in methods if name in told}
    labels = list(dict.fromkeys(filter(None, classes.values())))
    if len(labels) < 2:
        return [("", list(classes))]
    return [(label, [name for name, own in classes.items() if own in ("", label)]) for label in labels]


def _group(
    rows: pd.DataFrame,
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    dataset: DatasetAbout,
    source: str,
    weights: str,
    metrics: Sequence[MetricAbout],
    methods: Sequence[str],
    words: Mapping[tuple[str, str], str],
) -> Group:
    rows = rows[rows["method"].isin(methods)]
    intensities = intensities_of(rows)
    scored = [metric for metric in metrics if _has_values(summary, metric)]
    pictures = rows.drop_duplicates("image")
    lookup = {
        (record["method"], record["region"], record["metric"], record["variant"], record["intensity"]): record
        for record in summary.to_dict("records")
    }
    rankings: dict[tuple[str, str, str, str], Ranking] = {}
    parts = {
        (str(region), str(name), str(variant)): part
        for (region, name, variant), part in scores.groupby(list(SCORE), observed=True)
    }
    for intensity in intensities:  # outermost, since the scores of one stratum are resampled alike
        for metric in scored:
            for region in ("image", *REGIONS) if metric.name in HEADLINE else ("image",):
                if (part := parts.get((region, metric.name, metric.variant))) is not None:
                    place = (region, metric.name, metric.variant)
                    matrix = score_matrix(part, dataset.name, source, intensity, *place)
                    stratum = Stratum(dataset.name, source, intensity)
                    rankings[intensity, *place] = rank(matrix, stratum, metric, methods)
    tables = [_table(metric, methods, [(i, "image") for i in intensities], lookup, rankings) for metric in scored]
    headline = [metric for metric in scored if metric.name in HEADLINE]
    by_region = [(i, region) for region in REGIONS for i in intensities]
    regions = [_table(metric, methods, by_region, lookup, rankings) for metric in headline]
    seen = rows[rows["seen"].astype(bool)].drop_duplicates(["method", "image"])["method"].astype(object)
    return Group(
        dataset=dataset,
        source=source,
        weights=weights,
        methods=tuple(methods),
        images=len(pictures),
        scenes=int(pictures["scene"].nunique()),
        borderline=int(pictures["borderline"].sum()),
        seen=tuple((str(name), int(amount)) for name, amount in seen.value_counts(sort=False).items()),
        stepped_down={method: words[dataset.name, method] for method in methods if (dataset.name, method) in words},
        intensities=tuple(intensities),
        tables=tuple(table for table in tables if table.rows),
        regions=tuple(table for table in regions if table.rows),
        rankings={
            (intensity, metric.name): rankings[intensity, "image", metric.name, metric.variant]
            for metric in reversed(headline)
            for intensity in intensities
            if (intensity, "image", metric.name, metric.variant) in rankings
        },
    )


def _has_values(summary: pd.DataFrame, metric: MetricAbout) -> bool:
    chosen = (summary["metric"] == metric.name) & (summary["variant"] == metric.variant) & (summary["n"] > 0)
    return bool(chosen.any())


def _table(
    metric: MetricAbout,
    methods: Sequence[str],
    places: Sequence[tuple[str, str]],
    lookup: dict[tuple[str, str, str, str, str], dict[Any, Any]],
    rankings: dict[tuple[str, str, str, str], Ranking],
) -> Table:
    def record(method: str, intensity: str, region: str) -> dict[Any, Any] | None:
        return lookup.get((method, region, metric.name, metric.variant, intensity))

    columns, kept = [], []
    for intensity, region in places:
        there = [found for method in methods if (found := record(method, intensity, region)) and found["n"]]
        if there:
            most = max(there, key=lambda found: found["n"])
            columns.append(Column(intensity, region, int(most["n"]), int(most["scenes"])))
            kept.append((intensity, region))
    rows = [
        (
            method,
            tuple(
                _cell(
                    metric,
                    method,
                    record(method, *place),
                    column,
                    rankings[place[0], place[1], metric.name, metric.variant],
                )
                for place, column in zip(kept, columns, strict=True)
            ),
        )
        for method in methods
    ]
    return Table(
        metric, tuple(columns), tuple(rows) if columns else (), any(cell.level for _, cells in rows for cell in cells)
    )


def _cell(metric: MetricAbout, method: str, record: dict[Any, Any] | None, column: Column, ranking: Ranking) -> Cell:
    if record is None or not record["n"]:
        failed = int(record["failed"]) if record else 0
        return Cell(MISSING, "", "", "", "", (f"{plural(failed, 'image')} failed" if failed else "not scored",))
    notes = []
    if record["n"] != column.images:
        notes.append(f"only {record['n']} of {column.images}: not comparable")
    if record["finite"] != record["n"]:
        infinite = record["n"] - record["finite"]
        notes.append("all are ∞" if not record["finite"] else f"{infinite} ∞ left out")
    if record["failed"]:
        notes.append(f"{record['failed']} failed")
    gain, low, high = (record["difference"], record["difference_low"], record["difference_high"])
    if metric.sign < 0:
        gain, low, high = -gain, -high, -low
    change = "" if math.isnan(low) else "better" if low > 0 else "worse" if high < 0 else "unclear"
    return Cell(
        mean=number(record["mean"], metric.decimals),
        interval=interval(record["low"], record["high"], metric.decimals),
        gain="" if math.isnan(gain) else signed(gain, metric.decimals),
        gain_interval="" if math.isnan(gain) else interval(low, high, metric.decimals),
        change=change,
        notes=tuple(notes),
        best=method == ranking.best,
        level=ranking.level_with_best(method),
    )
