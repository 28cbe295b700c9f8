"""Means with intervals, and differences to the rainy input, per data set and intensity.

Strata are never mixed: a mean is over one data set, one intensity (or ``all`` of them) and one source of the intensity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drivederain.results.intervals import Estimate, codes_of, estimates_of

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
"""The intensity of the rows over all intensities of a data set."""
REFERENCE = "identity"
"""The method whose scores are those of the rainy input."""
FAILED = ("failed", "oom", "timeout")
STRATUM = ("dataset", "intensity_source", "intensity")
SCORE = ("region", "metric", "variant")
COLUMNS = (*STRATUM, *SCORE, "method", "image", "scene", "sample", "value", "status", "seen", "borderline")
"""Of ``results.parquet``: what ``summarise`` and ``image_scores`` are made of."""


def image_scores(results: pd.DataFrame) -> pd.DataFrame:
    """One row a picture, method and score: the ok rows, averaged over the samples of a stochastic method."""
    keys = [*STRATUM, *SCORE, "image", "scene", "method"]
    scored = results.loc[results["status"] == "ok", [*keys, "value", "sample"]]
    if not scored["sample"].any():
        return scored.drop(columns="sample").reset_index(drop=True)
    finite = scored.assign(finite=scored["value"].where(np.isfinite(scored["value"])))
    averaged = finite.groupby(keys, sort=True, observed=True).agg(value=("value", "first"), finite=("finite", "mean"))
    return averaged["finite"].fillna(averaged["value"]).rename("value").reset_index()


@dataclass(frozen=True)
class ScoreMatrix:
    """The scores of one stratum by one metric: n pictures (sorted by name) x m methods."""

    values: NDArray[np.float64]
    """n x m; NaN where a score is missing."""
    images: list[str]
    scenes: NDArray[np.intp]
    """n numbers; pictures of one scene have the same, and they go up with the scenes' names."""
    methods: list[str]

    def of(self, method: str) -> NDArray[np.float64]:
        """The column of ``method``, NaN where it has none."""
        if method not in self.methods:
            return np.full(len(self.images), np.nan)
        column: NDArray[np.float64] = self.values[:, self.methods.index(method)]
        return column

    def rows(self, chosen: NDArray[np.bool_]) -> ScoreMatrix:
        """The chosen pictures alone."""
        images = [image for image, there in zip(self.images, chosen, strict=True) if there]
        return ScoreMatrix(self.values[chosen], images, self.scenes[chosen], self.methods)


def score_matrix(
    scores: pd.DataFrame, dataset: str, source: str, intensity: str, region: str, metric: str, variant: str
) -> ScoreMatrix:
    """The scores of one stratum from what ``image_scores`` gives; ``intensity`` may be ``all``."""
    wanted = dict(zip((*STRATUM, *SCORE), (dataset, source, intensity, region, metric, variant), strict=True))
    if intensity == ALL:
        del wanted["intensity"]
    chosen = np.ones(len(scores), dtype=bool)
    for column, value in wanted.items():
        chosen &= (scores[column] == value).to_numpy()
    part = scores.loc[chosen, ["image", "scene", "method", "value"]]
    methods, names = codes_of(part["method"])
    return ScoreMatrix(*_dense(part, methods, len(names)), names)


def _dense(
    part: pd.DataFrame, columns: NDArray[np.intp], width: int
) -> tuple[NDArray[np.float64], list[str], NDArray[np.intp]]:
    """Values by picture and column (NaN: none), the pictures, sorted, and the numbers of their scenes."""
    pictures, images = codes_of(part["image"])
    values = np.full((len(images), width), np.nan)
    values[pictures, columns] = part["value"].to_numpy(dtype=float)
    scenes = np.zeros(len(images), dtype=np.intp)
    scenes[pictures] = codes_of(part["scene"])[0]
    return values, images, scenes


def paired_differences(
    matrix: ScoreMatrix, first: str, others: Sequence[str], names: Sequence[str]
) -> dict[str, Estimate]:
    """``first`` minus each of ``others`` over the pictures where both are finite.

    ``names`` decide the seed: data set, source and intensity, as in ``summarise``.
    """
    if not others:
        return {}
    beside = np.stack([_finite(matrix.of(name)) for name in others], axis=1)
    values = _finite(matrix.of(first)[:, None] - beside)
    return dict(zip(others, estimates_of(values, matrix.scenes, names), strict=True))


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
    methods = {name: number for number, name in enumerate(results["method"].unique())}
    return (
        summary.assign(_intensity=summary["intensity"].map(_place_of_intensity), _method=summary["method"].map(methods))
        .sort_values(
            ["dataset", "intensity_source", "_intensity", "intensity", "metric", "variant", "region", "_method"],
            kind="stable",
        )
        .drop(columns=["_intensity", "_method"])
        .reset_index(drop=True)
    )


def in_order(intensities: Iterable[str]) -> list[str]:
    """As tables have them: light, medium, heavy, any others by name, all."""
    return sorted(map(str, intensities), key=lambda name: (_place_of_intensity(name), name))


def _place_of_intensity(name: str) -> int:
    return {"light": 0, "medium": 1, "heavy": 2, ALL: 4}.get(name, 3)


_COUNTS = ("failed", "skipped", "seen", "borderline")
_SUMMARY_COLUMNS = [
    *STRATUM, "method", *SCORE, "n", "finite", "scenes", "mean", "low", "high",
    "difference", "difference_low", "difference_high", "difference_n", "difference_scenes", *_COUNTS,
]  # fmt: skip


def _counts(results: pd.DataFrame) -> pd.DataFrame:
    """For each group of the summary, how many pictures failed, were skipped, were seen, are borderline."""
    import pandas as pd

    keys = [*STRATUM, "method", *SCORE]
    flagged = results[keys].assign(
        failed=results["status"].isin(FAILED),
        skipped=results["status"] == "skipped",
        seen=results["seen"].astype(bool),
        borderline=results["borderline"].astype(bool),
    )
    if results["sample"].any():  # a picture counts once, however many samples of a stochastic method it has
        of_pictures = flagged.assign(image=results["image"]).groupby([*keys, "image"], sort=False, observed=True)
        flagged = of_pictures.any().reset_index().drop(columns="image")
    counted = flagged.groupby(keys, sort=False, observed=True).sum().reset_index().astype(dict.fromkeys(keys, object))
    over_all = counted.drop(columns="intensity").groupby([key for key in keys if key != "intensity"], sort=False).sum()
    return pd.concat([counted, over_all.reset_index().assign(intensity=ALL)], ignore_index=True)


def _summarise_stratum(scores: pd.DataFrame, counted: pd.DataFrame, reference: str) -> list[dict[str, Any]]:
    """The summary's rows for one data set, source and intensity, with one resampling for all of them."""
    groups = [tuple(row) for row in counted[[*SCORE, "method"]].itertuples(index=False)]
    values, scenes = _by_group(scores, groups)
    place = {group: number for number, group in enumerate(groups)}
    beside = [place.get((*group[:3], reference)) if group[3] != reference else None for group in groups]
    differences = np.full_like(values, np.nan)
    for column, other in enumerate(beside):
        if other is not None:
            differences[:, column] = _finite(values[:, column]) - _finite(values[:, other])
    names = tuple(str(counted[key].iloc[0]) for key in STRATUM)
    found = [*estimates_of(values, scenes, names), *estimates_of(differences, scenes, names)]
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


def _by_group(
    scores: pd.DataFrame, groups: Sequence[tuple[str, str, str, str]]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Values by picture and group (region, metric, variant, method), and the number of each picture's scene."""
    place = {group: number for number, group in enumerate(groups)}
    columns = [codes_of(scores[name]) for name in (*SCORE, "method")]
    shape = tuple(len(names) for _, names in columns)
    lookup = np.zeros(shape, dtype=np.intp)
    for position in np.ndindex(shape):
        group = tuple(names[index] for (_, names), index in zip(columns, position, strict=True))
        lookup[position] = place.get(group, -1)  # -1: these four do not come together
    values, _, scenes = _dense(scores, lookup[tuple(codes for codes, _ in columns)], len(groups))
    return values, scenes


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``values`` with NaN for what is infinite: a difference to or from ``inf`` is no number to average."""
    return np.where(np.isfinite(values), values, np.nan)
