"""Who is told how a training goes."""

from __future__ import annotations

from typing import Protocol

from drivederain.results.training_history import EpochRecord


class Observer(Protocol):
    """Told from the process that trains, on the first device."""

    def step(self, share: float, words: str) -> None:
        """This share of the budget is used; ``words`` are the latest figures."""

    def epoch(self, record: EpochRecord, *, best: bool) -> None:
        """An epoch is over; ``best``: its weights are the best so far, by validation PSNR."""

    def note(self, words: str) -> None:
        """Something that one should know."""


class Unobserved:
    """Tells nobody."""

    def step(self, share: float, words: str) -> None:
        """Tells nobody."""

    def epoch(self, record: EpochRecord, *, best: bool) -> None:
        """Tells nobody."""

    def note(self, words: str) -> None:
        """Tells nobody."""
