"""Everything that a report is made of, read and worked out once: tables, charts and pictures start from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder
from drivederain.results.statistics import COLUMNS, REFERENCE, image_scores, summarise
from drivederain_reports.charts.figure import Figure
from drivederain_reports.charts.looks import STYLES
from drivederain_reports.charts.of_group import group_figures
from drivederain_reports.run_about import RunAbout, read_about
from drivederain_reports.score_tables import Group, groups
from drivederain_reports.speed import speed_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Measured:
    """A run's record and results."""

    run: RunFolder
    about: RunAbout
    results: pd.DataFrame
    scores: pd.DataFrame
    """``statistics.image_scores``."""
    summary: pd.DataFrame
    """``statistics.summarise``."""
    has_timings: bool
    timings: list[dict[Any, Any]]
    """``speed.speed_rows``, without those of clear input."""
    pictures: pd.DataFrame | None
    methods: tuple[str, ...]
    """In the order of ``run.json``, without the rainy input."""
    styles: dict[str, int]
    """The colour and mark of each method."""
    rainy: tuple[Group, ...]
    clear: tuple[Group, ...]
    """Groups of clear input."""
    reference: str
    """What paired differences are taken to."""

    def figures(self) -> list[list[Figure]]:
        """The charts of each rainy group."""
        return [
            group_figures(
                group,
                number,
                self.scores,
                self.summary,
                self.timings,
                self.pictures,
                self.styles,
                self.reference,
            )
            for number, group in enumerate(self.rainy)
        ]


def measured(run: RunFolder, reference: str = REFERENCE) -> Measured:
    """Read a run.

    Raises:
        DataError: the folder is no run, or a file in it is damaged; the message names the file. Or the run has no
            method ``reference``.
    """
    about = read_about(run)
    results = run.results([*COLUMNS, "stage", "reason", "stepped_down", "weights_class", "budget"])
    scores, summary = image_scores(results), summarise(results)
    _check_metrics(run, scores, about)
    known = dict.fromkeys([*(method.name for method in about.methods), *sorted(results["method"].unique())])
    if reference not in known:
        raise DataError(
            f"{run.path} has no method {reference!r} to compare with. Give --reference one of: {', '.join(known)}"
        )
    methods = tuple(name for name in known if name != REFERENCE)
    every = groups(results, scores, summary, about.datasets, about.metrics, [REFERENCE, *methods])
    clear = {dataset.name for dataset in about.datasets if dataset.clear_input_of}
    timings = run.timings() if run.timings_parquet.exists() else None
    return Measured(
        run=run,
        about=about,
        results=results,
        scores=scores,
        summary=summary,
        has_timings=timings is not None,
        timings=[]
        if timings is None
        else [row for row in speed_rows(timings, results, about.started) if row["dataset"] not in clear],
        pictures=run.pictures() if run.pictures_parquet.exists() else None,
        methods=methods,
        styles={name: number % STYLES for number, name in enumerate(methods)},
        rainy=tuple(group for group in every if not group.dataset.clear_input_of),
        clear=tuple(group for group in every if group.dataset.clear_input_of),
        reference=reference,
    )


def _check_metrics(run: RunFolder, scores: pd.DataFrame, about: RunAbout) -> None:
    """Every scored metric is described, so that it is known which way is better."""
    described = {(metric.name, metric.variant) for metric in about.metrics}
    scored = scores[["metric", "variant"]].drop_duplicates()
    unknown = sorted(set(zip(scored["metric"], scored["variant"], strict=True)) - described)
    if unknown:
        name, variant = unknown[0]
        raise DataError(
            f"{run.run_json} does not describe the metric {name}[{variant}] of {run.results_parquet.name}: "
            "the two files are of different runs. Run the benchmark again with the same --out."
        )
