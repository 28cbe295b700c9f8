"""A training on the terminal: one bar with the latest figures and the time left, and a line an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from drivederain.cli.console import console
from drivederain.results.training_history import EpochRecord, Scores
from drivederain.specs import INTENSITIES

if TYPE_CHECKING:
    from drivederain.engine.training_run.run import TrainOutcome

EVERY = 10.0
"""Without a terminal: seconds between two lines of steps."""


class TrainingDisplay:
    """Implements ``engine.training_run.run.TrainDisplay`` on the terminal."""

    def __init__(self) -> None:
        self._live = console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.percentage:5.1f} %"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("[dim]{task.fields[words]}"),
            console=console,
            disable=not self._live,
        )
        self._task = self._progress.add_task("training", total=1.0, words="")
        self._said = time.monotonic()
        self._scores: Scores | None = None

    def __enter__(self) -> TrainingDisplay:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def step(self, share: float, words: str) -> None:
        if self._scores is not None:
            words += f", validation PSNR {self._scores.psnr:.2f} dB, SSIM {self._scores.ssim:.4f}"
        self._progress.update(self._task, completed=share, words=words)
        if not self._live and time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            self._print(f"  {share:6.1%} {words}")

    def epoch(self, record: EpochRecord, *, best: bool) -> None:
        self._scores = record.scores or self._scores
        self._print(epoch_line(record, best=best))

    def note(self, words: str) -> None:
        console.print("[yellow]note:[/yellow]", end=" ")
        self._print(words)

    # What is prepared beforehand: the stages before a refiner.
    def begin(self, phase: str, total: int) -> None:
        self._print(phase)

    def advance(self, done: float, words: str = "") -> None:
        if words:
            self._progress.update(self._task, words=words)

    def end(self, words: str = "") -> None:
        if words:
            self._print(words)

    def warn(self, message: str) -> None:
        self.note(message)

    @staticmethod
    def _print(words: str) -> None:
        console.print(words, highlight=False, markup=False, soft_wrap=True)


def epoch_line(record: EpochRecord, *, best: bool) -> str:
    """One epoch in one line."""
    terms = " ".join(f"{name} {value:.4f}" for name, value in record.losses.items() if name != "loss")
    parts = [
        f"epoch {record.epoch:3d}",
        f"step {record.step}",
        f"loss {record.losses.get('loss', math.nan):.4f} ({terms})",
    ]
    if record.scores is not None:
        scores = record.scores
        mark = " *" if best else ""
        parts.append(f"validation loss {scores.loss:.4f}, PSNR {scores.psnr:.2f} dB, SSIM {scores.ssim:.4f}{mark}")
    parts.append(f"rate {record.learning_rate:.2g}, {record.images_per_second:.1f} images/s")
    return " | ".join(parts)


def show_outcome(outcome: TrainOutcome) -> None:
    """The best epoch by intensity against the rainy input, why it ended, and where everything lies."""
    record, folder = outcome.record, outcome.folder
    console.print(
        f"{'interrupted' if record.interrupted else 'ended'}: {record.stop_reason} "
        f"({record.steps} steps, {record.epochs} whole epochs, {record.seconds:.0f} s)",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if record.best is not None and record.best.scores is not None:
        scores, inputs = record.best.scores, [outcome.rainy, *([outcome.estimates] if outcome.estimates else [])]
        names = ["rainy", *([outcome.before] if outcome.estimates else []), "restored"]
        table = Table(title=f"validation, epoch {record.best.epoch} (best PSNR)", title_justify="left")
        table.add_column("intensity")
        for heading in ("PSNR, dB", "SSIM"):
            for name in names:
                table.add_column(f"{heading}: {name}" if name == "rainy" else Text(name), justify="right")
        for name in INTENSITIES:
            if name in scores.psnr_by_intensity:
                psnr = [each["psnr_by_intensity"][name] for each in inputs] + [scores.psnr_by_intensity[name]]
                ssim = [each["ssim_by_intensity"][name] for each in inputs] + [scores.ssim_by_intensity[name]]
                table.add_row(name, *_cells(psnr, ssim))
        psnr, ssim = ([each[metric] for each in inputs] for metric in ("psnr", "ssim"))
        table.add_row("all", *_cells([*psnr, scores.psnr], [*ssim, scores.ssim]))
        console.print(table)
    weights = folder.best if folder.best.exists() else folder.last
    together = [("weights", path) for path in sorted(folder.checkpoints.glob(f"{weights.stem}.*.safetensors"))]
    for words, path in (("weights", weights), *together, ("curves", folder.curves), ("folder", folder.path)):
        if path.exists():
            console.print(f"{words}: {path}", soft_wrap=True, highlight=False, markup=False)


def _cells(psnr: Sequence[float], ssim: Sequence[float]) -> list[str]:
    return [*(f"{value:.2f}" for value in psnr), *(f"{value:.4f}" for value in ssim)]
