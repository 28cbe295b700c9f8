"""What a plugin's ``drivederain_cell_finished`` hook is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FinishedCell:
    """One chain prefix on one data set, restored and scored, or not."""

    method: str
    dataset: str
    key: str
    status: str
    reason: str
    images: int
    restored_now: int
    """How many outputs were computed in this run; the others came from the cache."""
    seconds: float
    sample: int = 0
    """Which of several samples of a method that draws noise."""
