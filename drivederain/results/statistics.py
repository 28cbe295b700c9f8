"""Means with bootstrap intervals, and paired differences, per data set and intensity.

Pictures of one scene are not independent, so scenes, not pictures, are resampled (cluster bootstrap: Davison and
Hinkley, *Bootstrap Methods and their Application*, 1997, section 3.8), and the interval is the 2.5th to 97.5th
percentile of 2,000 resamples. The seed comes from the names of the data set and intensity, so the same results give
the same intervals, and all methods and metrics of one stratum are resampled alike.

Strata are never mixed: a mean is over one data set, one intensity (or ``all`` of them) and one source of the intensity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
COLUMNS = (*STRATUM, *SCORE, "method", "image", "scene", "sample", "value", "status", "seen", "borderline")
"""Of ``results.parquet``: what ``summarise`` and ``image_scores`` are made of."""

_CHUNK = 500_000
"""Resampled counts handled at once as floating-point numbers (4 MB)."""
_COLUMNS = 64
"""Means with intervals made at once."""


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
    sums, counts = _by_scene(values, _codes(scenes)[0])
    return _intervals(sums, counts, names, resamples, level)


def _by_scene(values: NDArray[np.float64], scenes: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums and counts of the finite values, k scenes x m, from n x m values and the number of each picture's scene."""
    if len(scenes) != len(values):
        raise ValueError(f"{len(values)} rows of values, but {len(scenes)} scenes")
    if not len(values):
        return np.zeros((0, values.shape[1])), np.zeros((0, values.shape[1]))
    order = np.argsort(scenes, kind="stable")
    starts = np.flatnonzero(np.diff(scenes[order], prepend=-1))
    finite = np.isfinite(values[order])
    sums = np.add.reduceat(np.where(finite, values[order], 0.0), starts, axis=0)
    return sums, np.add.reduceat(finite.astype(np.float64), starts, axis=0)


def _intervals(
    sums: NDArray[np.float64], counts: NDArray[np.float64], names: Sequence[str], resamples: int, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    columns = sums.shape[1]
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    # Columns that lack other scenes are resampled from the scenes that they have.
    alike: dict[bytes, list[int]] = {}
    for column, pattern in enumerate(np.packbits(counts > 0, axis=0).T):
        alike.setdefault(pattern.tobytes(), []).append(column)
    for chosen in alike.values():
        present = np.flatnonzero(counts[:, chosen[0]])
        if len(present) < 2:
            continue
        means = _resampled_means(sums[present][:, chosen], counts[present][:, chosen], names, resamples)
        tail = (1 - level) / 2
        low[chosen], high[chosen] = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], names: Sequence[str], resamples: int
) -> NDArray[np.float64]:
    """resamples x m means over scenes drawn with replacement from k x m sums and counts."""
    drawn = _drawn(len(sums), tuple(names), resamples)
    means = np.empty((resamples, sums.shape[1]))
    step = max(1, _CHUNK // len(sums))
    for start in range(0, resamples, step):
        weights = drawn[start : start + step].astype(np.float64)
        means[start : start + step] = (weights @ sums) / (weights @ counts)
    return means


@lru_cache(maxsize=2)
def _drawn(scenes: int, names: tuple[str, ...], resamples: int) -> NDArray[np.uint8]:
    """How often each resample drew each scene, resamples x scenes; the scores of one stratum are resampled alike."""
    generator = np.random.Generator(np.random.PCG64(seed_of("bootstrap", *names)))
    times = np.empty((resamples, scenes), dtype=np.uint8)
    step = max(1, _CHUNK // scenes)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        places = (generator.random((size, scenes)) * scenes).astype(np.int64) + (np.arange(size) * scenes)[:, None]
        counts = np.bincount(places.ravel(), minlength=size * scenes).reshape(size, scenes)
        assert counts.max() < 256, "a count of mean 1 and about Poisson's spread: 256 has a probability below 1e-500"
        times[start : start + size] = counts
    times.flags.writeable = False
    return times


def estimates(values: NDArray[np.float64], scenes: Sequence[str], names: Sequence[str]) -> list[Estimate]:
    """One ``Estimate`` for each column of n x m ``values``; NaN marks what is missing, ``inf`` is a value."""
    return _estimates(values, _codes(scenes)[0], names)


def _estimates(values: NDArray[np.float64], scenes: NDArray[np.intp], names: Sequence[str]) -> list[Estimate]:
    """``estimates`` of pictures whose scenes have numbers."""
    found: list[Estimate] = []
    for start in range(0, values.shape[1], _COLUMNS):
        block = values[:, start : start + _COLUMNS]
        sums, counts = _by_scene(block, scenes)
        low, high = _intervals(sums, counts, names, RESAMPLES, LEVEL)
        there, finite = (~np.isnan(block)).sum(axis=0), counts.sum(axis=0).astype(int)
        for column in range(block.shape[1]):
            if finite[column]:
                mean = float(sums[:, column].sum() / finite[column])
            else:
                infinite = block[~np.isnan(block[:, column]), column]
                mean = float(infinite[0]) if len(infinite) else float("nan")
            found.append(
                Estimate(
                    mean,
                    float(low[column]),
                    float(high[column]),
                    int(there[column]),
                    int(finite[column]),
                    int((counts[:, column] > 0).sum()),
                )
            )
    return found


def _codes(values: Iterable[Any]) -> tuple[NDArray[np.intp], list[str]]:
    """The place of each value among the distinct ones, which are sorted and follow; quick for categories."""
    import pandas as pd

    categories = pd.Series(values).astype("category").array
    codes = np.asarray(categories.codes)
    present = np.flatnonzero(np.bincount(codes, minlength=len(categories.categories)))
    names = [str(name) for name in categories.categories[present].to_numpy(dtype=object)]
    order = list(range(len(names)))
    if not categories.categories.is_monotonic_increasing:
        order.sort(key=names.__getitem__)
    places = np.zeros(len(categories.categories) or 1, dtype=np.intp)
    places[present[order]] = np.arange(len(order))
    return places[codes], [names[place] for place in order]


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
    methods, names = _codes(part["method"])
    return ScoreMatrix(*_dense(part, methods, len(names)), names)


def _dense(
    part: pd.DataFrame, columns: NDArray[np.intp], width: int
) -> tuple[NDArray[np.float64], list[str], NDArray[np.intp]]:
    """Values by picture and column (NaN: none), the pictures, sorted, and the numbers of their scenes."""
    pictures, images = _codes(part["image"])
    values = np.full((len(images), width), np.nan)
    values[pictures, columns] = part["value"].to_numpy(dtype=float)
    scenes = np.zeros(len(images), dtype=np.intp)
    scenes[pictures] = _codes(part["scene"])[0]
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
    return dict(zip(others, _estimates(values, matrix.scenes, names), strict=True))


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
    found = [*_estimates(values, scenes, names), *_estimates(differences, scenes, names)]
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
    columns = [_codes(scores[name]) for name in (*SCORE, "method")]
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
