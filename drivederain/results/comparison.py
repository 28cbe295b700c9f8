"""Two runs beside each other: what may be compared, what changed, and why the rest may not.

Scores are comparable that are of the same pictures (the fingerprint of the data set, and the picture's name), the same
metric in the same variant, and the same size. Weights, options and machines may differ: that is what one compares, and
the differences are listed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drivederain.results.intervals import Estimate, estimates_of
from drivederain.results.run_folder import RunFolder
from drivederain.results.statistics import ALL, COLUMNS, ScoreMatrix, image_scores, in_order, score_matrix

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Change:
    """One method by one metric at one intensity: the second run against the first, on the pictures that both scored."""

    dataset: str
    intensity_source: str
    intensity: str
    """Or ``all``."""
    method: str
    metric: str
    variant: str
    unit: str
    direction: str
    decimals: int
    first: float
    """Mean of the first run over the pictures in common."""
    second: float
    difference: Estimate
    """Second less first, NaN without finite scores in common."""
    images: int
    """Pictures that both scored."""
    same: int
    """Of those, pictures with exactly the same score."""
    largest: float
    """The largest absolute difference of a picture's score."""

    @property
    def outcome(self) -> str:
        """``same``, ``better``, ``worse``, ``unclear`` (the interval includes zero), or ``unknown`` (no interval)."""
        if self.same == self.images:
            return "same"
        if math.isnan(self.difference.low):
            return "unknown"
        sign = -1 if self.direction == "lower" else 1
        low, high = (self.difference.low, self.difference.high)[::sign]
        return "better" if sign * low > 0 else "worse" if sign * high < 0 else "unclear"


@dataclass(frozen=True)
class Comparison:
    """All of it."""

    names: tuple[str, str]
    changes: tuple[Change, ...]
    refused: tuple[str, ...]
    """What both runs have and what yet may not be compared, each with its reason."""
    only: tuple[tuple[str, ...], tuple[str, ...]]
    """What only one of them has, in words."""
    settings: tuple[tuple[str, str, str], ...]
    """What differs between the records: what, in the first, in the second."""

    @property
    def identical(self) -> bool:
        """Everything is comparable, there, and scored exactly alike."""
        return bool(self.changes) and not any(
            (self.refused, *self.only, [change for change in self.changes if change.outcome != "same"])
        )


def compare(first: RunFolder, second: RunFolder) -> Comparison:
    """Compare two runs, whole pictures alone.

    Raises:
        DataError: a folder is no run of this version, or a file in it is damaged; the message names the file.
    """
    runs = (first, second)
    abouts = (first.about(), second.about())
    scores = tuple(image_scores(run.results([*COLUMNS, "size"])) for run in runs)
    scores = tuple(own[own["region"] == "image"] for own in scores)
    datasets, refused = _datasets(abouts)
    metrics = _shared(_metrics(abouts[0]), _metrics(abouts[1]))
    only: list[tuple[str, ...]] = []
    for own_about, other_about in (abouts, abouts[::-1]):
        only.append(
            tuple(
                f"{kind} {name}"
                for kind, names in (("data set", _names), ("method", _method_names), ("metric", _metric_names))
                for name in names(own_about)
                if name not in names(other_about)
            )
        )
    methods = [name for name in _method_names(abouts[0]) if name in _method_names(abouts[1])]
    changes = []
    for dataset in datasets:
        of_set = [own[own["dataset"] == dataset] for own in scores]
        sources = sorted(set(of_set[0]["intensity_source"].unique()) & set(of_set[1]["intensity_source"].unique()))
        for source in map(str, sources):
            intensities = _intensities([own[own["intensity_source"] == source] for own in of_set])
            for (metric, variant), told in metrics.items():
                for intensity in intensities:
                    place = (dataset, source, intensity, "image", metric, variant)
                    one, other = (score_matrix(own, *place) for own in of_set)
                    found = (_change(one, other, method, place, told) for method in methods)
                    changes += [change for change in found if change is not None]
    return Comparison(
        (str(first.path), str(second.path)),
        tuple(changes),
        tuple(refused),
        (only[0], only[1]),
        tuple(_settings(*abouts)),
    )


def _names(about: Mapping[str, Any]) -> list[str]:
    return [each["name"] for each in about.get("datasets", [])]


def _method_names(about: Mapping[str, Any]) -> list[str]:
    return [each["name"] for each in about.get("methods", [])]


def _metric_names(about: Mapping[str, Any]) -> list[str]:
    return [f"{each['name']}[{each['variant']}]" for each in about.get("metrics", [])]


def _metrics(about: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(each["name"], each["variant"]): each for each in about.get("metrics", [])}


def _shared(
    one: Mapping[tuple[str, str], Mapping[str, Any]], other: Mapping[tuple[str, str], Mapping[str, Any]]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {key: told for key, told in one.items() if key in other}


def _datasets(abouts: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """The data sets of the same name whose pictures may be compared, and why others may not."""
    one, other = ({each["name"]: each for each in about.get("datasets", [])} for about in abouts)
    fine, refused = [], []
    for name in one:
        if name not in other:
            continue
        sizes = [each.get("size", "native") for each in (one[name], other[name])]
        if sizes[0] != sizes[1]:
            refused.append(
                f"data set {name}: its pictures are of size {sizes[0]} in one run and {sizes[1]} in the other"
            )
        elif one[name].get("fingerprint") != other[name].get("fingerprint"):
            refused.append(
                f"data set {name}: the runs hold other pictures (its fingerprints differ), as with another --limit, "
                "--seed, --intensity or version of the rain"
            )
        else:
            fine.append(name)
    return fine, refused


def _intensities(parts: Sequence[pd.DataFrame]) -> list[str]:
    both = set(parts[0]["intensity"].unique()) & set(parts[1]["intensity"].unique())
    return [*in_order(both), ALL] if len(both) > 1 else in_order(both)


def _change(
    one: ScoreMatrix, other: ScoreMatrix, method: str, place: tuple[str, ...], told: Mapping[str, Any]
) -> Change | None:
    common = sorted(set(one.images) & set(other.images))
    rows = [[matrix.images.index(image) for image in common] for matrix in (one, other)]
    first, second = one.of(method)[rows[0]], other.of(method)[rows[1]]
    scored = ~np.isnan(first) & ~np.isnan(second)
    if not scored.any():
        return None
    same = first == second
    with np.errstate(invalid="ignore"):
        differences = np.where(same, 0.0, second - first)
    finite = scored & np.isfinite(first) & np.isfinite(second)
    dataset, source, intensity, _, metric, variant = place
    (estimate,) = estimates_of(
        np.where(finite, differences, np.nan)[:, None], one.scenes[rows[0]], (dataset, source, intensity)
    )
    return Change(
        dataset, source, intensity, method, metric, variant, str(told.get("unit") or ""), str(told["direction"]),
        int(told.get("decimals", 2)), _mean(first[finite]), _mean(second[finite]), estimate, int(scored.sum()),
        int((same & scored).sum()), float(np.abs(differences[scored]).max()),
    )  # fmt: skip


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _settings(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What differs between two records that may be why scores do."""
    known = dict(_told(one)), dict(_told(other))
    return [
        (name, known[0].get(name, "–"), known[1].get(name, "–"))
        for name in dict.fromkeys([*known[0], *known[1]])
        if known[0].get(name) != known[1].get(name)
    ]


def _told(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    environment = about.get("environment", {})
    found = [("program", str(about.get("version", ""))), ("command", " ".join(map(str, about.get("command", []))))]
    found += [(f"protocol: {name}", str(value)) for name, value in sorted(about.get("protocol", {}).items())]
    for method in about.get("methods", []):
        for weights in method.get("weights", []):
            label = f"weights of {weights['stage']} in {method['name']}"
            words = f"{weights.get('class', '')} {str(weights.get('sha256') or '')[:12]} {weights.get('budget') or ''}"
            found.append((label, words.strip()))
        for stage, options in sorted((method.get("options") or {}).items()):
            found += [
                (f"option {stage}.{name} in {method['name']}", str(value)) for name, value in sorted(options.items())
            ]
    found += [
        (f"machine: {name}", str(environment.get(name, ""))) for name in ("cpu", "gpu", "cores", "python", "platform")
    ]
    found += [(f"version of {name}", str(value)) for name, value in sorted(environment.get("versions", {}).items())]
    return found
