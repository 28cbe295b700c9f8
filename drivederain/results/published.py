"""Scores of papers beside those measured here: same set, same metric, same variant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivederain.results.statistics import ALL

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PublishedBeside:
    """One published score. ``mean``, ``low`` and ``high`` are of the pictures that were measured."""

    dataset: str
    method: str
    metric: str
    variant: str
    published: float
    source: str
    mean: float
    low: float
    high: float
    finite: int

    @property
    def difference(self) -> float:
        """Measured less published."""
        return self.mean - self.published


def published_beside(methods: Iterable[Mapping[str, Any]], summary: pd.DataFrame) -> list[PublishedBeside]:
    """The published scores of methods and sets that were measured by the same metric and variant.

    Args:
        methods: as ``run.json`` has them; ``published`` holds ``dataset metric value source``, the metric as
            ``psnr_y[mprnet]``.
        summary: of ``statistics.summarise``.
    """
    whole = summary[(summary["intensity"] == ALL) & (summary["region"] == "image")]
    keys = ["dataset", "method", "metric", "variant"]
    measured = {
        tuple(map(str, row[:4])): row[4:]
        for row in whole[[*keys, "mean", "low", "high", "finite"]].itertuples(index=False)
    }
    found = []
    for method in methods:
        for score in method.get("published", ()):
            metric, _, variant = str(score["metric"]).rstrip("]").partition("[")
            row = measured.get((str(score["dataset"]), str(method["name"]), metric, variant))
            if row is None or math.isnan(row[0]):
                continue
            found.append(
                PublishedBeside(
                    dataset=str(score["dataset"]),
                    method=str(method["name"]),
                    metric=metric,
                    variant=variant,
                    published=float(score["value"]),
                    source=str(score["source"]),
                    mean=float(row[0]),
                    low=float(row[1]),
                    high=float(row[2]),
                    finite=int(row[3]),
                )
            )
    return found
