"""How the engine tells what it does; the command line draws it, tests and notebooks need not."""

from __future__ import annotations

from typing import Protocol


class Display(Protocol):
    """Told of phases (``restore unet on synthetic:photos``), of their progress, and of messages."""

    def begin(self, phase: str, total: int) -> None:
        """A phase begins; ``total`` is its number of pictures, or 100 for a training."""

    def advance(self, done: float, words: str = "") -> None:
        """The current phase has ``done`` of its total; ``words`` are its latest figures."""

    def end(self, words: str = "") -> None:
        """The current phase is over."""

    def warn(self, message: str) -> None:
        """Something the user should know; it also goes into the report."""


class Silent:
    """Shows nothing."""

    def begin(self, phase: str, total: int) -> None:
        """Shows nothing."""

    def advance(self, done: float, words: str = "") -> None:
        """Shows nothing."""

    def end(self, words: str = "") -> None:
        """Shows nothing."""

    def warn(self, message: str) -> None:
        """Shows nothing."""
