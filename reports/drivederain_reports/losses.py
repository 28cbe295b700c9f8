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
    score = ["metric", "variant", "region"]
    images = lost[[*keys, "image"]].drop_duplicates().groupby(keys, observed=True).size()
    missing: dict[tuple[str, str, str, str, str], list[str]] = {}
    for row in lost[[*keys, *score]].drop_duplicates().itertuples(index=False):
        key = (row.method, row.dataset, row.stage, row.status, row.reason)
        missing.setdefault(key, []).append(f"{row.metric}[{row.variant}] {row.region}")
    found = [Loss(*key, int(images[key]), tuple(sorted(scores))) for key, scores in sorted(missing.items())]
    found.sort(key=lambda loss: -loss.images)
    return [loss for loss in found if loss.status in FAILED], [loss for loss in found if loss.status not in FAILED]
