"""The tables that are exported, in long form: one row a mean, a picture or a timing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drivederain.errors import SpecError
from drivederain.names import did_you_mean
from drivederain.results.run_folder import RunFolder
from drivederain.results.statistics import COLUMNS, image_scores, summarise

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = (
    "dataset", "intensity_source", "intensity", "method", "weights_class", "size", "region", "metric", "variant",
    "direction", "unit", "n", "finite", "scenes", "mean", "low", "high", "gain", "gain_low", "gain_high", "gain_n",
    "gain_scenes", "failed", "skipped", "seen",
)  # fmt: skip
"""``gain`` is over the rainy input, above zero where the method is better whatever the metric's direction; ``low`` and
``high`` are ends of the 95 % interval."""
IMAGES = (
    "dataset",
    "intensity_source",
    "intensity",
    "method",
    "image",
    "scene",
    "region",
    "metric",
    "variant",
    "value",
)
WHAT = ("summary", "images", "timings")


def exported(run: RunFolder, what: str = "summary", metrics: Sequence[str] = ()) -> pd.DataFrame:
    """One of the tables ``WHAT`` of a run.

    Args:
        metrics: names, or names with a variant, as ``psnr`` or ``psnr_y[mprnet]``; all of the run's by default.

    Raises:
        DataError: the folder is no run, or a file in it is damaged.
        SpecError: the run has no such metric.
    """
    about = run.about()
    if what == "timings":
        return run.timings()
    results = run.results([*COLUMNS, "weights_class", "size"])
    results = results[chosen_metrics(results, metrics)]
    if what == "images":
        return image_scores(results)[list(IMAGES)].astype(dict.fromkeys(IMAGES[:-1], object)).reset_index(drop=True)
    return _summary(results, about)


def chosen_metrics(results: pd.DataFrame, metrics: Sequence[str]) -> Any:
    """Which rows are of one of ``metrics``; all of them without any.

    Raises:
        SpecError: there are no rows of one of them.
    """
    import numpy as np

    pairs = sorted(set(zip(results["metric"].astype(str), results["variant"].astype(str), strict=True)))
    full = {f"{name}[{variant}]": (name, variant) for name, variant in pairs}
    wanted: set[tuple[str, str]] = set()
    for text in metrics:
        own = {pair for label, pair in full.items() if text in (label, pair[0])}
        if not own:
            names = [*dict.fromkeys(name for name, _ in pairs), *full]
            raise SpecError(f"the run has no metric {text!r}.{did_you_mean(text, names)} It has: {', '.join(full)}.")
        wanted |= own
    if not metrics:
        return np.ones(len(results), dtype=bool)
    both = zip(results["metric"].astype(str), results["variant"].astype(str), strict=True)
    return np.fromiter((pair in wanted for pair in both), dtype=bool, count=len(results))


def _summary(results: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    found = summarise(results)
    told = {(metric["name"], metric["variant"]): metric for metric in about.get("metrics", [])}
    apart = results[["dataset", "method", "weights_class", "size"]].astype(str).drop_duplicates()
    facts = apart.groupby(["dataset", "method"]).agg(lambda values: " and ".join(dict.fromkeys(values)))
    rows = []
    for record in found.to_dict("records"):
        metric = told.get((record["metric"], record["variant"]), {})
        sign = -1 if metric.get("direction") == "lower" else 1
        low, high = (record["difference_low"], record["difference_high"])[::sign]
        rows.append(
            {
                **record,
                **facts.loc[(record["dataset"], record["method"])],
                "direction": metric.get("direction", ""),
                "unit": metric.get("unit") or "",
                "gain": sign * record["difference"],
                "gain_low": sign * low,
                "gain_high": sign * high,
                "gain_n": record["difference_n"],
                "gain_scenes": record["difference_scenes"],
            }
        )
    rows.sort(key=_place_of(about))  # stable: intensities stay as they are
    return pd.DataFrame(rows, columns=list(SUMMARY))


def _place_of(about: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """The order of a row: as ``run.json`` lists data sets, metrics and methods."""
    datasets = {each["name"]: place for place, each in enumerate(about.get("datasets", []))}
    metrics = {(each["name"], each["variant"]): place for place, each in enumerate(about.get("metrics", []))}
    methods = {each["name"]: place for place, each in enumerate(about.get("methods", []))}
    return lambda row: (
        datasets.get(row["dataset"], len(datasets)),
        row["intensity_source"],
        metrics.get((row["metric"], row["variant"]), len(metrics)),
        row["region"] != "image",
        row["region"],
        methods.get(row["method"], len(methods)),
    )
