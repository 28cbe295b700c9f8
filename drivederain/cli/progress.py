"""The progress display of a run: one bar a phase, with time left; plain lines where the output is no terminal."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from drivederain.cli.console import console

EVERY = 10.0
"""Without a terminal: seconds between two lines of a phase."""


class LiveDisplay:
    """Implements ``engine.display.Display`` on the terminal."""

    def __init__(self) -> None:
        self._live = console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[words]}"),
            console=console,
            disable=not self._live,
        )
        self._task: TaskID | None = None
        self._phase, self._total, self._began, self._said = "", 0, 0.0, 0.0

    def __enter__(self) -> LiveDisplay:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, phase: str, total: int) -> None:
        self._phase, self._total, self._began, self._said = phase, total, time.monotonic(), time.monotonic()
        self._task = self._progress.add_task(phase, total=total, words="")
        if not self._live:
            console.print(
                phase if phase.startswith("train ") else f"{phase} ({total})",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )

    def advance(self, done: float, words: str = "") -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=round(done, 1), words=words)
        if not self._live and time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            console.print(f"  {done:.0f}/{self._total} {words}", highlight=False, markup=False, soft_wrap=True)

    def end(self, words: str = "") -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=self._total, words=words)
        if not self._live:
            seconds = time.monotonic() - self._began
            console.print(f"  done in {seconds:.1f} s {words}", highlight=False, markup=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        console.print("[yellow]note:[/yellow]", end=" ")
        console.print(message, highlight=False, markup=False, soft_wrap=True)
