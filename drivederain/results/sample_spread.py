"""How far the scores of a method that draws noise differ between its samples: what another seed would have given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drivederain.results.statistics import in_order
from drivederain.results.summary import HEADLINE

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SampleSpread:
    """Of one method on one stratum by one metric, over whole pictures that have a finite score in every sample."""

    dataset: str
    intensity_source: str
    intensity: str
    method: str
    metric: str
    variant: str
    samples: int
    images: int
    of_an_image: float
    """Standard deviation of a picture's score between samples (n - 1), the root mean square over pictures."""
    of_the_mean: float
    """Standard deviation between samples of the mean score of all pictures (n - 1)."""
    low: float
    """The lowest mean score that a sample has, and the highest."""
    high: float


def sample_spreads(results: pd.DataFrame, methods: Sequence[str] = ()) -> list[SampleSpread]:
    """The spreads by the metrics of the summary, of every method with two samples or more.

    Args:
        results: a frame with the columns of ``statistics.COLUMNS``.
        methods: their order; that of the results by default.

    Returns:
        By data set, source of the intensity, method, intensity and metric.
    """
    pairs = set(zip(results["metric"], results["variant"], strict=True)).intersection(HEADLINE)
    scored = results[(results["status"] == "ok") & (results["region"] == "image")]
    sampled = set(scored.loc[scored["sample"] > 0, "method"])
    order = [name for name in dict.fromkeys([*methods, *sorted(sampled)]) if name in sampled]
    found = []
    for (dataset, source), of_set in scored.groupby(["dataset", "intensity_source"], sort=True, observed=True):
        for method in order:
            own = of_set[of_set["method"] == method]
            for intensity in in_order(own["intensity"].unique()):
                rows = own[own["intensity"] == intensity]
                for metric, variant in HEADLINE:
                    if (metric, variant) in pairs:
                        chosen = rows[(rows["metric"] == metric) & (rows["variant"] == variant)]
                        values = _values(chosen)
                        if min(values.shape) >= 1 and values.shape[1] > 1:
                            found.append(
                                SampleSpread(
                                    str(dataset), str(source), intensity, method, metric, variant, *_spread(values)
                                )
                            )
    return found


def _values(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Pictures x samples, without pictures that lack a finite score."""
    table = rows.pivot_table(index="image", columns="sample", values="value", aggfunc="first", observed=True)
    values: NDArray[np.float64] = table.to_numpy(np.float64)
    whole: NDArray[np.float64] = values[np.isfinite(values).all(axis=1)]
    return whole


def _spread(values: NDArray[np.float64]) -> tuple[int, int, float, float, float, float]:
    means = values.mean(axis=0)
    return (
        values.shape[1],
        values.shape[0],
        float(np.sqrt(values.var(axis=1, ddof=1).mean())),
        float(means.std(ddof=1)),
        float(means.min()),
        float(means.max()),
    )
