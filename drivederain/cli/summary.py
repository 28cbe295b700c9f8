"""The summary table at the end of a run."""

from __future__ import annotations

import math
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from drivederain.cli.console import console
from drivederain.engine.rows import NO_TRUTH
from drivederain.results import statistics
from drivederain.results.run_folder import RunFolder
from drivederain.results.sample_spread import SampleSpread, sample_spreads
from drivederain.results.stage_gains import StageGain, stage_gains
from drivederain.results.statistics import ALL, FAILED
from drivederain.results.summary import HEADLINE, summary_table

COLUMNS = (("psnr", "PSNR dB ↑", 2), ("ssim", "SSIM ↑", 3), ("lpips", "LPIPS ↓", 3))
MOST_REASONS = 8
"""Lines of reasons for what was lost; all of them are in the report."""
NARROW = 110
"""Below so many characters a line the intervals are left to the report."""


def show_summary(run: RunFolder) -> None:
    """Print method x intensity with 95 % intervals, a table a data set and source of intensity."""
    about = run.about()
    truth = {dataset["name"]: dataset["has_truth"] for dataset in about["datasets"]}
    results, methods = run.results(statistics.COLUMNS), [method["name"] for method in about["methods"]]
    rows = summary_table(results, methods)
    gains = stage_gains(results, methods)
    spreads = sample_spreads(results, methods)
    classes = _classes(about["methods"])
    intervals = console.width >= NARROW
    for dataset, source in dict.fromkeys((row["dataset"], row["intensity_source"]) for row in rows):
        if not truth.get(dataset, True):
            console.print(
                f"{dataset}: no ground truth: pictures, and what needs no truth, are in the report", markup=False
            )
            continue
        figures = "mean [95 % interval]" if intervals else "mean"
        console.print(f"\n{dataset} (intensity {source}): {figures}, Δ against the rainy input", markup=False)
        chosen = [row for row in rows if (row["dataset"], row["intensity_source"]) == (dataset, source)]
        console.print(_table(chosen, intervals))
        if classes:
            console.print(classes, markup=False)
        for ceiling in about.get("ceilings", []):
            if ceiling["dataset"] == dataset and (words := _ceiling(ceiling)):
                console.print(words, markup=False)
        own = [gain for gain in gains if (gain.dataset, gain.intensity_source) == (dataset, source)]
        for chain in dict.fromkeys(gain.chain for gain in own):
            console.print(_gains([gain for gain in own if gain.chain == chain]), markup=False)
        for spread in spreads:
            if (spread.dataset, spread.intensity_source, spread.metric) == (dataset, source, "psnr"):
                console.print(_spread(spread), markup=False)
    for line in _losses(run):
        console.print(line, markup=False, soft_wrap=True, highlight=False)


def _losses(run: RunFolder) -> list[str]:
    """Why pictures of a method are lost, and why a method was skipped as a whole; a line each reason."""
    rows = run.results(("method", "dataset", "image", "status", "reason"))
    keys = ["method", "dataset"]
    whole = rows["status"].ne("skipped").groupby([rows[key] for key in keys], observed=True).transform("sum").eq(0)
    lost = rows[rows["status"].isin(FAILED) | (whole & rows["reason"].ne(NO_TRUTH))].drop_duplicates()
    counted = lost.groupby(["method", "status", "reason"], observed=True).size()
    counted = counted.sort_values(ascending=False, kind="stable")
    lines = [
        f"{method}: {count} {status}: {' '.join(str(reason).split())}"
        for (method, status, reason), count in counted.items()
    ]
    more = len(lines) - MOST_REASONS
    return lines if more <= 0 else [*lines[:MOST_REASONS], f"and {more} more reasons; the report has them"]


def _table(rows: list[dict[str, Any]], intervals: bool) -> Table:
    """One data set; metrics that were not asked for have no column."""
    columns = [column for column in COLUMNS if any(row[column[0]] is not None for row in rows)]
    table = Table(box=SIMPLE_HEAD)
    for name in ("intensity", "method", *(heading for _, heading, _ in columns), "n"):
        left = name in ("intensity", "method")
        table.add_column(name, justify="left" if left else "right", no_wrap=True, overflow="fold")
    before = None
    for row in rows:
        if before not in (None, row["intensity"]):
            table.add_section()
        figures = [_figure(row[metric], decimals, intervals) for metric, _, decimals in columns]
        table.add_row(row["intensity"] if row["intensity"] != before else "", row["method"], *figures, _count(row))
        before = row["intensity"]
    return table


def _classes(methods: list[dict[str, Any]]) -> str:
    """A warning where methods were loaded with weights of several classes; the report ranks these apart."""
    by_class: dict[str, list[str]] = {}
    for method in methods:
        if own := "+".join(sorted({weights["class"] for weights in method.get("weights", ())} - {"none"})):
            by_class.setdefault(own, []).append(method["name"])
    if len(by_class) < 2:
        return ""
    listed = "; ".join(f"{own}: {', '.join(names)}" for own, names in by_class.items())
    return f"weights of several classes, which are no ranking of methods together ({listed})"


def _ceiling(about: dict[str, Any]) -> str:
    """What a latent method could put out at best, or why that is not known; "" without any headline metric."""
    units = {"psnr": (2, " dB")}
    figures = [
        f"{metric.upper()} {score['mean']:.{units.get(metric, (3, ''))[0]}f}{units.get(metric, (3, ''))[1]}"
        for metric, variant in HEADLINE
        if (score := about["scores"].get(f"{metric}[{variant}]"))
    ]
    if not figures:
        reason = about["reason"]  # none where other metrics were asked for
        return f"the ceiling of {', '.join(about['of'])} could not be measured: {reason}" if reason else ""
    return (
        f"ceiling of {', '.join(about['of'])}: {about['method']} alone gives {about['images_ok']} clear pictures back "
        f"at {', '.join(figures)}; a plain decode cannot do "
        "better, keeping the difference to the estimate can"
    )


def _gains(stages: list[StageGain]) -> str:
    """What the last method of a chain added, over all and by intensity."""
    whole = next(stage for stage in stages if stage.intensity == ALL)
    gain = whole.gain
    interval = "" if math.isnan(gain.low) else f" [{gain.low:+.2f}, {gain.high:+.2f}]"
    parts = ", ".join(
        f"{stage.intensity} {stage.gain.mean:+.2f} ({stage.hurt} of {stage.gain.finite})"
        for stage in stages
        if stage.intensity != ALL
    )
    return (
        f"{whole.chain} over {whole.before}: PSNR {gain.mean:+.2f} dB{interval}, "
        f"worse on {whole.hurt} of {gain.finite} pictures: {parts}"
    )


def _spread(spread: SampleSpread) -> str:
    """What another seed would have given, on one line."""
    return (
        f"{spread.method}, {spread.intensity}: between {spread.samples} samples PSNR of a picture varies by "
        f"±{spread.of_an_image:.2f} dB, the mean by ±{spread.of_the_mean:.3f} ({spread.low:.2f} to {spread.high:.2f})"
    )


def _count(row: dict[str, Any]) -> str:
    """Pictures that were scored, and how many were lost."""
    scored = max((int(row[metric]["n"]) for metric, _, _ in COLUMNS if row[metric] is not None), default=0)
    if row["failed"]:
        return f"{scored} ({row['failed']} failed)"
    return f"0 ({row['skipped']} skipped)" if row["skipped"] and not scored else str(scored)


def _figure(score: dict[str, Any] | None, decimals: int, intervals: bool) -> str:
    if score is None or math.isnan(score["mean"]):
        return "-"
    text = f"{score['mean']:.{decimals}f}"
    if intervals and not math.isnan(score["low"]):
        text += f" [{score['low']:.{decimals}f}, {score['high']:.{decimals}f}]"
    if not math.isnan(score["difference"]) and score["difference"]:
        text += f" {score['difference']:+.{decimals}f}"
    return text
