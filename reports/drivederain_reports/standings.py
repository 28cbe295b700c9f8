"""The methods of a group on one line each: ranks, gain over the rainy input, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drivederain.results.statistics import ALL, REFERENCE
from drivederain_reports.ranking import Ranking
from drivederain_reports.run_about import MethodAbout
from drivederain_reports.score_tables import Cell, Group

RANKED_OVER_ALL = ("psnr", "ssim", "lpips")


@dataclass(frozen=True)
class Place:
    """A rank in one column; 0 where the method was not ranked there."""

    rank: int
    shared: bool


@dataclass(frozen=True)
class Standing:
    """One method."""

    method: str
    psnr: Cell | None
    """Over all intensities, with the gain."""
    places: tuple[Place, ...]
    """One a column."""
    chain_ms: tuple[float, ...]
    """Median latency of one image through the whole chain, by device, milliseconds."""
    parameters: int | None
    """Of all stages together."""


@dataclass(frozen=True)
class Standings:
    """Of one group, best first by its first column."""

    group: Group
    columns: tuple[tuple[str, str], ...]
    """The metric's short name, and the intensity."""
    rows: tuple[Standing, ...]
    hardware: tuple[str, ...]
    """What the latencies were measured on."""


def standings(
    groups: Sequence[Group], methods: Sequence[MethodAbout], timings: Sequence[dict[Any, Any]]
) -> list[Standings]:
    """One for each group in which two methods or more are ranked. ``timings``: what ``speed.speed_rows`` gives."""
    parameters = {method.name: method.parameters for method in methods}
    found = []
    for group in groups:
        over_all = ALL if ALL in group.intensities else group.intensities[0]
        keys = [(over_all, metric) for metric in RANKED_OVER_ALL]
        keys[1:1] = [(name, "psnr") for name in group.intensities if name != over_all]
        columns = [ranking for key in keys if (ranking := group.rankings.get(key)) and ranking.order]
        if not columns or len(columns[0].order) < 2:
            continue
        first = columns[0]
        own = [row for row in timings if row["dataset"] == group.dataset.name and row["method"] in first.order]
        psnr = next((table for table in group.tables if table.metric.name == "psnr"), None)
        cells = {} if psnr is None else {name: row[-1] for name, row in psnr.rows}
        rows = tuple(
            Standing(
                name,
                cells.get(name),
                tuple(_place(ranking, name) for ranking in columns),
                tuple(row["chain_median_ms"] for row in own if row["method"] == name),
                parameters.get(name),
            )
            for name in first.order
            if name != REFERENCE
        )
        labels = tuple((ranking.metric.short, ranking.stratum.intensity) for ranking in columns)
        hardware = dict.fromkeys(row["hardware"] or row["device"] for row in own)
        found.append(Standings(group, labels, rows, tuple(hardware)))
    return found


def _place(ranking: Ranking, method: str) -> Place:
    for rank, names in ((ranking.ranks[names[0]], names) for names in ranking.groups):
        if method in names:
            return Place(rank, len(names) > 1)
    return Place(0, False)
