"""How much of a training budget is used: a budget is a number of epochs, steps or minutes, or the first of several."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drivederain.errors import OptionError


@dataclass(frozen=True)
class Budget:
    """``steps``, ``minutes`` or ``epochs`` of training; where several are given, the first that is used up ends it."""

    steps: int | None = None
    minutes: float | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        given = [limit for limit in (self.steps, self.minutes, self.epochs) if limit is not None]
        if not given or not all(limit > 0 for limit in given):
            raise OptionError(
                "a budget is a positive number of steps, of minutes or of epochs, "
                f"not {self.steps!r}, {self.minutes!r}, {self.epochs!r}"
            )

    def __str__(self) -> str:
        limits = ((self.epochs, "epoch"), (self.steps, "step"), (self.minutes, "minute"))
        words = [
            f"{limit if isinstance(limit, int) else f'{limit:g}'} {unit}{'' if limit == 1 else 's'}"
            for limit, unit in limits
            if limit is not None
        ]
        return " or ".join(words)

    @classmethod
    def parse(cls, text: str) -> Budget:
        """``"600 steps"``, ``"20 minutes"`` or ``"100 epochs"``.

        Raises:
            OptionError: anything else.
        """
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(steps?|epochs?|minutes?|min|m)\s*", text)
        if not match:
            raise OptionError(f"budget {text!r} is not understood: write '600 steps', '20 minutes' or '100 epochs'")
        if match[2].startswith("m"):
            return cls(minutes=float(match[1]))
        if "." in match[1]:
            raise OptionError(f"budget {text!r}: {match[2].rstrip('s')}s are whole numbers")
        return cls(steps=int(match[1])) if match[2].startswith("step") else cls(epochs=int(match[1]))


@dataclass
class Progress:
    """The share of a budget that is used, from the step count or the clock."""

    budget: Budget | None = None
    steps_per_epoch: int = 1
    """Optimiser steps."""
    started: float | None = None
    paused_seconds: float = 0.0
    earlier_seconds: float = 0.0
    """Of training before it was resumed."""

    def start(self, budget: Budget, *, steps_per_epoch: int = 1, earlier_seconds: float = 0.0) -> None:
        self.budget, self.started, self.paused_seconds = budget, time.monotonic(), 0.0
        self.steps_per_epoch, self.earlier_seconds = steps_per_epoch, earlier_seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is done inside does not count against a budget of minutes."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.paused_seconds += time.monotonic() - begun

    @property
    def seconds(self) -> float:
        """Seconds of training so far, of earlier legs too, without pauses."""
        if self.started is None:
            return self.earlier_seconds
        return self.earlier_seconds + time.monotonic() - self.started - self.paused_seconds

    def fraction(self, step: int) -> float:
        """Between 0 and 1. Without a budget: 0."""
        if self.budget is None or self.started is None:
            return 0.0
        shares = [0.0]
        if self.budget.steps is not None:
            shares.append(step / self.budget.steps)
        if self.budget.epochs is not None:
            shares.append(step / (self.budget.epochs * self.steps_per_epoch))
        if self.budget.minutes is not None:
            shares.append(self.seconds / (60 * self.budget.minutes))
        return min(max(shares), 1.0)

    def over(self, step: int) -> bool:
        return self.fraction(step) >= 1.0
