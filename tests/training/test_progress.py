"""Budgets in steps and minutes."""

from __future__ import annotations

import time

import pytest

from drivederain.errors import OptionError
from drivederain.training.progress import Budget, Progress


@pytest.mark.parametrize(
    ("text", "budget", "shown"),
    [
        ("600 steps", Budget(steps=600), "600 steps"),
        ("1step", Budget(steps=1), "1 step"),
        (" 20 minutes ", Budget(minutes=20), "20 minutes"),
        ("0.5min", Budget(minutes=0.5), "0.5 minutes"),
        ("2 m", Budget(minutes=2), "2 minutes"),
    ],
)
def test_budgets_are_read_and_shown(text: str, budget: Budget, shown: str) -> None:
    assert Budget.parse(text) == budget
    assert str(budget) == shown


@pytest.mark.parametrize(
    "text", ["", "20", "steps", "-3 steps", "1.5 steps", "0 steps", "0 minutes", "3 hours", "1e3 steps"]
)
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(OptionError, match="budget"):
        Budget.parse(text)


def test_a_budget_is_something_positive() -> None:
    for arguments in ({}, {"minutes": float("nan")}, {"steps": -1}, {"steps": 1, "epochs": 0}):
        with pytest.raises(OptionError):
            Budget(**arguments)  # type: ignore[arg-type]


def test_of_several_limits_the_first_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = Progress()
    progress.start(Budget(steps=100, minutes=1, epochs=3), steps_per_epoch=10, earlier_seconds=6)
    assert str(progress.budget) == "3 epochs or 100 steps or 1 minute"
    assert progress.fraction(3) == pytest.approx(0.1), "by the epochs, and by the clock"
    now[0] = 24
    assert progress.fraction(3) == pytest.approx(0.5), "by the clock"
    assert progress.over(30), "by the epochs"


def test_steps_count_steps() -> None:
    progress = Progress()
    assert progress.fraction(7) == 0.0
    progress.start(Budget(steps=10))
    assert [progress.fraction(step) for step in (0, 5, 10, 11)] == [0, 0.5, 1, 1]
    assert [progress.over(step) for step in (9, 10)] == [False, True]


def test_minutes_follow_the_clock_but_for_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = Progress()
    progress.start(Budget(minutes=1))
    now[0] += 15
    assert progress.fraction(1000) == 0.25
    with progress.paused():
        now[0] += 1000
    assert progress.fraction(0) == 0.25
    now[0] += 45
    assert progress.over(0)
    progress.start(Budget(minutes=1))
    assert progress.fraction(0) == 0, "a new start forgets the pauses of before"
