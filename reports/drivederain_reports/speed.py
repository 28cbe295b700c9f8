"""Lines of the table of speed and memory."""

from __future__ import annotations

from collections.abc import Sequence
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


_COLUMNS = {"flops": ("operations", "flops"), "energy": ("energy", "energy_j")}
"""In ``run.json`` -> in words, and the column of ``timings``."""


def not_measured(timings: pd.DataFrame, methods: Sequence[MethodAbout]) -> list[NotMeasured]:
    """The reasons for the empty places of the table, equal ones together."""
    empty = {
        column: set(timings.loc[timings[column].isna(), "method"]) if column in timings else set()
        for _, column in _COLUMNS.values()
    }
    found: dict[tuple[str, str], list[str]] = {}
    for method in methods:
        for name, reason in method.not_measured.items():
            words, column = _COLUMNS.get(name, (name, ""))
            if method.name in empty.get(column, ()):
                found.setdefault((words, reason), []).append(method.name)
    return [NotMeasured(what, reason, names) for (what, reason), names in found.items()]
