"""The few figures that the terminal shows at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from drivederain.results.statistics import summarise

if TYPE_CHECKING:
    import pandas as pd

HEADLINE: tuple[tuple[str, str], ...] = (("psnr", "rgb"), ("ssim", "rgb"), ("lpips", "alex"))
"""Metric and variant, in the order of the columns."""


def summary_table(results: pd.DataFrame, methods: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Method x intensity with intervals, over whole pictures. ``methods``: their order, those not named follow.

    Returns:
        One dict a data set, source of the intensity, intensity (and ``all``) and method, in the order to print them,
        with the keys ``dataset intensity_source intensity method failed skipped`` and ``psnr``, ``ssim``, ``lpips``:
        each is ``None`` where the run did not score it, else a dict ``mean low high n finite difference
        difference_low difference_high`` (``difference``: method minus rainy input; for LPIPS below zero is better).
        ``mean`` is NaN where nothing was scored and may be ``inf``; interval ends are NaN with fewer than two scenes.
    """
    summary = summarise(results[results["region"] == "image"])
    wanted = summary[[pair in HEADLINE for pair in zip(summary["metric"], summary["variant"], strict=True)]]
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    figures = ("mean", "low", "high", "n", "finite", "difference", "difference_low", "difference_high")
    for record in wanted.to_dict("records"):
        key = tuple(str(record[name]) for name in ("dataset", "intensity_source", "intensity", "method"))
        row = rows.setdefault(
            key,
            {
                **dict(zip(("dataset", "intensity_source", "intensity", "method"), key, strict=True)),
                "failed": 0,
                "skipped": 0,
                **{metric: None for metric, _ in HEADLINE},
            },
        )
        row["failed"] = max(row["failed"], int(record["failed"]))
        row["skipped"] = max(row["skipped"], int(record["skipped"]))
        row[str(record["metric"])] = {name: record[name] for name in figures}
    order = list(dict.fromkeys([*methods, *results["method"].unique()]))
    strata = {key[:3]: number for number, key in reversed(list(enumerate(rows)))}
    return sorted(rows.values(), key=lambda row: (strata[row["dataset"], row["intensity_source"], row["intensity"]],
                                                  order.index(row["method"])))  # fmt: skip
