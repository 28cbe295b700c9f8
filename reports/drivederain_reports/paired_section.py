"""Each method against a reference: paired differences with tests, win rates and the worst pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivederain.results.against_reference import AgainstReference, against_reference
from drivederain.results.statistics import REFERENCE, score_matrix
from drivederain_reports.run_about import MetricAbout
from drivederain_reports.score_tables import HEADLINE, Group

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PairedRow:
    """One method by one metric at one intensity."""

    metric: MetricAbout
    intensity: str
    found: AgainstReference


@dataclass(frozen=True)
class PairedTable:
    """All comparisons of one group."""

    group: Group
    reference: str
    rows: tuple[PairedRow, ...]


def paired_tables(groups: Sequence[Group], scores: pd.DataFrame, reference: str) -> list[PairedTable]:
    """One table for each group in which ``reference`` was scored; headline metrics, whole pictures.

    ``scores`` is ``statistics.image_scores`` of the run. The family of comparisons whose p values are adjusted
    together is all methods by one metric at one intensity.
    """
    tables = []
    for group in groups:
        if reference not in group.methods:
            continue
        methods = [name for name in group.methods if name not in (reference, REFERENCE)]
        if reference != REFERENCE and REFERENCE in group.methods:
            methods.append(REFERENCE)
        rows = []
        for table in group.tables:
            metric = table.metric
            if metric.name not in HEADLINE:
                continue
            for intensity in group.intensities:
                matrix = score_matrix(
                    scores, group.dataset.name, group.source, intensity, "image", metric.name, metric.variant
                )
                names = (group.dataset.name, group.source, intensity)
                found = against_reference(matrix, reference, methods, metric.sign, names)
                rows += [PairedRow(metric, intensity, each) for each in found if each.gain.finite]
        if rows:
            tables.append(PairedTable(group, reference, tuple(rows)))
    return tables
