"""What the last method of a chain added, picture by picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drivederain.results.run_folder import folder_name
from drivederain.results.stage_gains import StageGain
from drivederain.results.statistics import ALL, score_matrix
from drivederain_reports.charts.figure import Figure
from drivederain_reports.charts.paired_differences import paired_chart
from drivederain_reports.run_about import MetricAbout

if TYPE_CHECKING:
    import pandas as pd

HURT = 5
"""Pictures that are named."""


@dataclass(frozen=True)
class StageImages:
    """One chain on one data set, over all intensities."""

    dataset: str
    chain: str
    before: str
    figure: Figure | None
    """The sorted differences."""
    hurt: tuple[tuple[str, float], ...]
    """The pictures that lost most, and how much, dB; only such as lost."""


def stage_images(
    gains: Sequence[StageGain], scores: pd.DataFrame, metrics: Sequence[MetricAbout], styles: Mapping[str, int]
) -> list[StageImages]:
    """One for each chain and data set of ``gains``. ``scores``: of ``statistics.image_scores``."""
    metric = next((each for each in metrics if (each.name, each.variant) == ("psnr", "rgb")), None)
    if metric is None:
        return []
    found = []
    places = dict.fromkeys((gain.dataset, gain.intensity_source, gain.chain, gain.before) for gain in gains)
    for number, (dataset, source, chain, before) in enumerate(places):
        matrix = score_matrix(scores, dataset, source, ALL, "image", metric.name, metric.variant)
        differences = matrix.of(chain) - matrix.of(before)
        known = np.flatnonzero(np.isfinite(differences))
        worst = known[np.argsort(differences[known], kind="stable")][:HURT]
        name = f"stage-{number}-{folder_name(chain)}".lower()
        found.append(
            StageImages(
                dataset,
                chain,
                before,
                paired_chart(matrix, metric, before, [chain], styles, name),
                tuple((matrix.images[place], float(differences[place])) for place in worst if differences[place] < 0),
            )
        )
    return found
