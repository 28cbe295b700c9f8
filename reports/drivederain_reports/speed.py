"""Lines of the table of speed and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
