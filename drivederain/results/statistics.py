"""Means with bootstrap intervals, and paired differences, per data set and intensity.

Pictures of one scene are not independent, so scenes, not pictures, are resampled (cluster bootstrap: Davison and
Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8), and the interval is the 2.5th to 97.5th
percentile of 2,000 resamples. The seed comes from the names of the data set and intensity, so the same results give
the same intervals, and all methods and metrics of one stratum are resampled alike.

Strata are never mixed: a mean is over one data set, one intensity (or ``all`` of them) and one source of the intensity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
"""The intensity of the rows over all intensities of a data set."""
REFERENCE = "identity"
"""The method whose scores are those of the rainy input."""
RESAMPLES = 2000
LEVEL = 0.95
FAILED = ("failed", "oom", "timeout")
STRATUM = ("dataset", "intensity_source", "intensity")
SCORE = ("region", "metric", "variant")

_CHUNK = 4_000_000
"""Most resampled counts held at once (32 MB)."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval. ``low`` and ``high`` are NaN with fewer than two scenes."""

    mean: float
    """Over the finite values; ``inf`` when there are values and none is finite; NaN without values."""
    low: float
    high: float
    n: int
    """Values, infinite ones included."""
    finite: int
    scenes: int
    """Scenes with a finite value."""

    @property
    def tells_apart(self) -> bool:
        """For a difference: the interval is there and leaves out zero."""
        return self.low > 0 or self.high < 0


def seed_of(*names: str) -> np.random.SeedSequence:
    """The seed that belongs to ``names``; their order counts."""
    digest = hashlib.sha256("\x1f".join(names).encode("utf-8", "surrogatepass")).digest()
    return np.random.SeedSequence(int.from_bytes(digest, "big"))


def clustered_intervals(
    values: NDArray[np.float64],
    scenes: Sequence[str],
    names: Sequence[str],
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile bootstrap intervals of column means, resampling scenes.

    Args:
        values: n x m, one row a picture, one column a mean; what is not finite is left out of its column.
        scenes: the scene of each of the n pictures.
        names: decide the seed.

    Returns:
        The lower and the upper ends, m each; NaN for columns with finite values in fewer than two scenes.
    """
    rows, columns = values.shape
    if len(scenes) != rows:
        raise ValueError(f"{rows} rows of values, but {len(scenes)} scenes")
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    if rows == 0 or columns == 0:
        return low, high
    index = np.unique(np.asarray(scenes, dtype=str), return_inverse=True)[1]
    finite = np.isfinite(values)
    sums, counts = np.zeros((index.max() + 1, columns)), np.zeros((index.max() + 1, columns))
    np.add.at(sums, index, np.where(finite, values, 0.0))
    np.add.at(counts, index, finite.astype(np.float64))
    # Columns that lack other scenes are resampled from the scenes that they have.
    patterns, pattern_of = np.unique(counts > 0, axis=1, return_inverse=True)
    for number in range(patterns.shape[1]):
        present, chosen = patterns[:, number], np.flatnonzero(pattern_of.ravel() == number)
        if present.sum() < 2:
            continue
        means = _resampled_means(sums[np.ix_(present, chosen)], counts[np.ix_(present, chosen)], names, resamples)
        tail = (1 - level) / 2
        low[chosen], high[chosen] = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], names: Sequence[str], resamples: int
) -> NDArray[np.float64]:
    """resamples x m means over scenes drawn with replacement from k x m sums and counts."""
    scenes = len(sums)
    generator = np.random.Generator(np.random.PCG64(seed_of("bootstrap", *names)))
    means = np.empty((resamples, sums.shape[1]))
    step = max(1, _CHUNK // scenes)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = (generator.random((size, scenes)) * scenes).astype(np.int64)
        flat = drawn + (np.arange(size) * scenes)[:, None]
        weights = np.bincount(flat.ravel(), minlength=size * scenes).reshape(size, scenes).astype(np.float64)
        means[start : start + size] = (weights @ sums) / (weights @ counts)
    return means


def estimates(values: NDArray[np.float64], scenes: Sequence[str], names: Sequence[str]) -> list[Estimate]:
    """One ``Estimate`` for each column of n x m ``values``; NaN marks what is missing, ``inf`` is a value."""
    low, high = clustered_intervals(values, scenes, names)
    labels = np.asarray(scenes, dtype=str)
    found = []
    for column in range(values.shape[1]):
        there = ~np.isnan(values[:, column])
        finite = np.isfinite(values[:, column])
        if finite.any():
            mean = float(values[finite, column].mean())
        else:
            mean = float(values[there, column][0]) if there.any() else float("nan")
        found.append(
            Estimate(
                mean,
                float(low[column]),
                float(high[column]),
                int(there.sum()),
                int(finite.sum()),
                len(np.unique(labels[finite])),
            )
        )
    return found


def image_scores(results: pd.DataFrame) -> pd.DataFrame:
    """One row a picture, method and score: the ok rows, averaged over the samples of a stochastic method."""
    scored = results[results["status"] == "ok"]
    keys = [*STRATUM, *SCORE, "image", "scene", "method"]
    if not scored["sample"].any():
        return scored[[*keys, "value"]].reset_index(drop=True)
    grouped = scored.groupby(keys, sort=True)["value"]
    return grouped.agg(
        lambda values: estimates(values.to_numpy(dtype=float)[:, None], ["-"] * len(values), ())[0].mean
    ).reset_index()


def score_matrix(
    scores: pd.DataFrame, dataset: str, source: str, intensity: str, region: str, metric: str, variant: str
) -> pd.DataFrame:
    """Pictures (rows, indexed by ``image`` and ``scene``) x methods (columns) of one stratum.

    NaN where a score is missing. ``scores`` is what ``image_scores`` gives; ``intensity`` may be ``all``.
    """
    chosen = (
        (scores["dataset"] == dataset)
        & (scores["intensity_source"] == source)
        & (scores["region"] == region)
        & (scores["metric"] == metric)
        & (scores["variant"] == variant)
    )
    if intensity != ALL:
        chosen &= scores["intensity"] == intensity
    return scores[chosen].pivot(index=["image", "scene"], columns="method", values="value").sort_index()


def paired_differences(
    matrix: pd.DataFrame, first: str, others: Sequence[str], names: Sequence[str]
) -> dict[str, Estimate]:
    """``first`` minus each of ``others`` over the pictures where both are finite, from a ``score_matrix``.

    ``names`` decide the seed: data set, source and intensity, as in ``summarise``.
    """
    if not others:
        return {}
    values = matrix[first].to_numpy(dtype=float)[:, None] - _finite(matrix[list(others)].to_numpy(dtype=float))
    scenes = [str(scene) for scene in matrix.index.get_level_values("scene")]
    return dict(zip(others, estimates(_finite(values), scenes, names), strict=True))


def summarise(results: pd.DataFrame, reference: str = REFERENCE) -> pd.DataFrame:
    """Every mean that a table shows.

    Args:
        results: a frame with the columns of ``schema.RESULTS``.
        reference: the method that differences are taken to.

    Returns:
        One row for each data set, source of the intensity, intensity (and ``all``), method, region, metric and variant,
        with the columns ``n finite scenes mean low high`` (as in ``Estimate``), ``difference difference_low
        difference_high difference_n difference_scenes`` (method minus reference on the pictures both have, NaN and
        0 for the reference itself), and how many pictures ``failed``, were ``skipped``, ``seen`` in training and are
        ``borderline``. Methods keep their order of first appearance, intensities go light, medium, heavy, all.
    """
    import pandas as pd

    scores = image_scores(results)
    counted = _counts(results)
    rows: list[dict[str, Any]] = []
    for (dataset, source), part in counted.groupby(["dataset", "intensity_source"], sort=False):
        of_set = scores[(scores["dataset"] == dataset) & (scores["intensity_source"] == source)]
        for intensity in part["intensity"].unique():
            stratum = of_set if intensity == ALL else of_set[of_set["intensity"] == intensity]
            rows += _summarise_stratum(stratum, part[part["intensity"] == intensity], reference)
    summary = pd.DataFrame(rows, columns=_SUMMARY_COLUMNS)
    order = {"light": 0, "medium": 1, "heavy": 2, ALL: 4}
    methods = {name: number for number, name in enumerate(dict.fromkeys(results["method"]))}
    return (
        summary.assign(
            _intensity=summary["intensity"].map(lambda name: order.get(name, 3)), _method=summary["method"].map(methods)
        )
        .sort_values(
            ["dataset", "intensity_source", "_intensity", "intensity", "metric", "variant", "region", "_method"],
            kind="stable",
        )
        .drop(columns=["_intensity", "_method"])
        .reset_index(drop=True)
    )


_COUNTS = ("failed", "skipped", "seen", "borderline")
_SUMMARY_COLUMNS = [
    *STRATUM, "method", *SCORE, "n", "finite", "scenes", "mean", "low", "high",
    "difference", "difference_low", "difference_high", "difference_n", "difference_scenes", *_COUNTS,
]  # fmt: skip


def _counts(results: pd.DataFrame) -> pd.DataFrame:
    """For each group of the summary, how many pictures failed, were skipped, were seen, are borderline."""
    import pandas as pd

    flagged = results[[*STRATUM, "method", *SCORE, "image"]].assign(
        failed=results["status"].isin(FAILED),
        skipped=results["status"] == "skipped",
        seen=results["seen"].astype(bool),
        borderline=results["borderline"].astype(bool),
    )
    flagged = pd.concat([flagged, flagged.assign(intensity=ALL)])
    keys = [*STRATUM, "method", *SCORE]
    # A picture counts once, however many samples of a stochastic method it has.
    return flagged.groupby([*keys, "image"], sort=False).any().groupby(keys, sort=False).sum().reset_index()


def _summarise_stratum(scores: pd.DataFrame, counted: pd.DataFrame, reference: str) -> list[dict[str, Any]]:
    """The summary's rows for one data set, source and intensity, with one resampling for all of them."""
    groups = [tuple(row) for row in counted[[*SCORE, "method"]].itertuples(index=False)]
    matrix = scores.pivot(index=["image", "scene"], columns=[*SCORE, "method"], values="value").sort_index()
    matrix = matrix.reindex(columns=groups)
    values = matrix.to_numpy(dtype=float)
    place = {group: number for number, group in enumerate(groups)}
    beside = [place.get((*group[:3], reference)) if group[3] != reference else None for group in groups]
    differences = np.full_like(values, np.nan)
    for column, other in enumerate(beside):
        if other is not None:
            differences[:, column] = _finite(values[:, column]) - _finite(values[:, other])
    scenes = [str(scene) for scene in matrix.index.get_level_values("scene")]
    names = tuple(str(counted[key].iloc[0]) for key in STRATUM)
    found = estimates(np.hstack([values, differences]), scenes, names)
    rows = []
    for number, counts in enumerate(counted.to_dict("records")):
        mean, difference = found[number], found[len(groups) + number]
        rows.append(
            {
                **counts,
                "n": mean.n,
                "finite": mean.finite,
                "scenes": mean.scenes,
                "mean": mean.mean,
                "low": mean.low,
                "high": mean.high,
                "difference": difference.mean,
                "difference_low": difference.low,
                "difference_high": difference.high,
                "difference_n": difference.n,
                "difference_scenes": difference.scenes,
            }
        )
    return rows


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``values`` with NaN for what is infinite: a difference to or from ``inf`` is no number to average."""
    return np.where(np.isfinite(values), values, np.nan)
