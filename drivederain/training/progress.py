"""How much of a training budget is used: a budget is a number of steps or of minutes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drivederain.errors import OptionError


@dataclass(frozen=True)
class Budget:
    """Either ``steps`` or ``minutes`` of training, the same for every method of a run."""

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None) or not (self.steps or self.minutes or 0) > 0:
            raise OptionError(
                f"a budget is a positive number of steps or of minutes, not {self.steps!r}, {self.minutes!r}"
            )

    def __str__(self) -> str:
        return f"{self.steps} steps" if self.steps is not None else f"{self.minutes:g} minutes"

    @classmethod
    def parse(cls, text: str) -> Budget:
        """``"600 steps"`` or ``"20 minutes"``.

        Raises:
            OptionError: anything else.
        """
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(steps?|minutes?|min|m)\s*", text)
        if not match:
            raise OptionError(f"budget {text!r} is not understood: write '600 steps' or '20 minutes'")
        if match[2].startswith("step"):
            if "." in match[1]:
                raise OptionError(f"budget {text!r}: steps are whole numbers")
            return cls(steps=int(match[1]))
        return cls(minutes=float(match[1]))


@dataclass
class Progress:
    """The share of a budget that is used, from the step count or the clock."""

    budget: Budget | None = None
    started: float | None = None
    paused_seconds: float = 0.0

    def start(self, budget: Budget) -> None:
        self.budget, self.started, self.paused_seconds = budget, time.monotonic(), 0.0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is done inside does not count against a budget of minutes."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.paused_seconds += time.monotonic() - begun

    def fraction(self, step: int) -> float:
        """Between 0 and 1. Without a budget: 0."""
        if self.budget is None or self.started is None:
            return 0.0
        if self.budget.steps is not None:
            return min(step / self.budget.steps, 1.0)
        assert self.budget.minutes is not None
        used = time.monotonic() - self.started - self.paused_seconds
        return min(used / (60 * self.budget.minutes), 1.0)

    def over(self, step: int) -> bool:
        return self.fraction(step) >= 1.0
