"""Lines of the table of speed and memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from drivederain_reports.run_about import MethodAbout
from drivederain_reports.stepped_down import stepped_down

if TYPE_CHECKING:
    import pandas as pd


def speed_rows(timings: pd.DataFrame, results: pd.DataFrame, started: str) -> list[dict[Any, Any]]:
    """The columns of ``timings.parquet``, with units that a reader knows and with what qualifies them.

    Args:
        started: when the run started, ISO.

    Returns:
        A dict a row of ``timings``, with ``gflops`` (10^9 operations a picture), ``parameters_m`` (millions),
        ``earlier`` (inference took place before this run, whose outputs came from the cache) and ``stepped_down``
        (words, empty where memory sufficed).
    """
    words = stepped_down(results)
    return [
        {
            **record,
            "gflops": record["flops"] / 1e9,
            "parameters_m": record["parameters"] / 1e6,
            "earlier": bool(started and record["measured_at"] and record["measured_at"] < started),
            "stepped_down": words.get((record["dataset"], record["method"]), ""),
        }
        for record in timings.to_dict("records")
    ]


class NotMeasured(NamedTuple):
    """Why a column has no figure for some methods."""

    what: str
    reason: str
    methods: list[str]


class _Gap(NamedTuple):
    what: str
    column: str
    """Of ``timings``."""
    otherwise: str
    """The reason where ``run.json`` has none: it could be measured, but of other images."""


_GAPS = {
    "flops": _Gap("operations", "flops", "no image of the median size was counted"),
    "energy": _Gap("energy", "energy_j", "no images were restored one beside the other"),
}
"""By their names in ``run.json``."""


def not_measured(timings: Sequence[Mapping[Any, Any]], methods: Sequence[MethodAbout]) -> list[NotMeasured]:
    """The reasons for the empty places of the table, equal ones together. ``timings``: of ``speed_rows``."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, gap in _GAPS.items():
        empty = {row["method"] for row in timings if row[gap.column] is None or math.isnan(row[gap.column])}
        for method in methods:
            if method.name in empty:
                reason = method.not_measured.get(name) or gap.otherwise
                found.setdefault((gap.what, reason), []).append(method.name)
    return [NotMeasured(what, reason, names) for (what, reason), names in found.items()]
