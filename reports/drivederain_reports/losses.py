"""What is not in the means: failed and skipped pictures with their reasons, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivederain.results.statistics import FAILED

if TYPE_CHECKING:
    import pandas as pd

MOST = 100
"""Lines that the page shows; the rest is in ``results.parquet``."""


@dataclass(frozen=True)
class Loss:
    """Rows that share their method, data set, status and reason."""

    method: str
    dataset: str
    stage: str
    status: str
    reason: str
    images: int
    scores: tuple[str, ...]
    """Which scores are missing: metric, variant and region."""


def losses(results: pd.DataFrame) -> tuple[list[Loss], list[Loss]]:
    """Failures (``failed``, ``oom``, ``timeout``) and skips, most pictures first."""
    lost = results[results["status"] != "ok"]
    if lost.empty:
        return [], []
    keys = ["method", "dataset", "stage", "status", "reason"]
    named = lost[[*keys, "image"]].assign(score=lost["metric"] + "[" + lost["variant"] + "] " + lost["region"])
    found = []
    for (method, dataset, stage, status, reason), part in named.groupby(keys, sort=True):
        missing = tuple(sorted(set(part["score"])))
        found.append(Loss(method, dataset, stage, status, reason, int(part["image"].nunique()), missing))
    found.sort(key=lambda loss: -loss.images)
    return [loss for loss in found if loss.status in FAILED], [loss for loss in found if loss.status not in FAILED]
