"""The summary table at the end of a run."""

from __future__ import annotations

import math
from typing import Any

from rich.table import Table

from drivederain.cli.console import console
from drivederain.results.run_folder import RunFolder
from drivederain.results.summary import summary_table

COLUMNS = (("psnr", "PSNR dB ↑", 2), ("ssim", "SSIM ↑", 3), ("lpips", "LPIPS ↓", 3))


def show_summary(run: RunFolder) -> None:
    """Print method x intensity with 95 % intervals, a table a data set and source of intensity."""
    methods = [method["name"] for method in run.about()["methods"]]
    rows = summary_table(run.results(), methods)
    for dataset, source in dict.fromkeys((row["dataset"], row["intensity_source"]) for row in rows):
        table = Table(title=f"{dataset} (intensity {source}), mean [95 % interval], Δ against the rainy input", title_justify="left")
        for name in ("intensity", "method", *(heading for _, heading, _ in COLUMNS), "n"):
            table.add_column(name, justify="left" if name in ("intensity", "method") else "right")
        before = None
        for row in rows:
            if (row["dataset"], row["intensity_source"]) != (dataset, source):
                continue
            if before not in (None, row["intensity"]):
                table.add_section()
            table.add_row(row["intensity"] if row["intensity"] != before else "", row["method"], *_cells(row))
            before = row["intensity"]
        console.print(table)


def _cells(row: dict[str, Any]) -> list[str]:
    shown = [row[metric] for metric, _, _ in COLUMNS if row[metric] is not None]
    count = str(max((int(score["n"]) for score in shown), default=0))
    if row["failed"]:
        count += f" ({row['failed']} failed)"
    return [*(_figure(row[metric], decimals) for metric, _, decimals in COLUMNS), count]


def _figure(score: dict[str, Any] | None, decimals: int) -> str:
    if score is None or math.isnan(score["mean"]):
        return "-"
    text = f"{score['mean']:.{decimals}f}"
    if not math.isnan(score["low"]):
        text += f" [{score['low']:.{decimals}f}, {score['high']:.{decimals}f}]"
    if not math.isnan(score["difference"]) and score["difference"]:
        text += f" {score['difference']:+.{decimals}f}"
    return text
