"""A study on the terminal: a line a trial with the bar of its training, a line a variable, and a table at the end."""

from __future__ import annotations

import shlex
from itertools import groupby
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from drivederain.cli.console import console
from drivederain.cli.training_display import TrainingDisplay
from drivederain.results.training_history import EpochRecord

if TYPE_CHECKING:
    from drivederain.engine.tuning.run import TuneOutcome
    from drivederain.engine.tuning.study import Findings, Tried
    from drivederain.engine.tuning.trial import Ended, Trial

STYLES = {"kept": "green", "failed": "red", "base": "dim"}


class TuningDisplay(TrainingDisplay):
    """Implements ``engine.tuning.run.TuneDisplay`` on the terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.trial, self.latest = "", ""

    def trial_begins(self, trial: Trial) -> None:
        self.trial, self.latest = str(trial), ""
        self._progress.reset(self._task, total=1.0, words=self.trial)

    def trial_ended(self, trial: Trial, ended: Ended, *, before: bool) -> None:
        from drivederain.engine.tuning.trial import TrialFailure

        words = f"failed: {ended.reason}" if isinstance(ended, TrialFailure) else f"{ended.psnr:.2f} dB"
        if not isinstance(ended, TrialFailure):
            words += f", SSIM {ended.ssim:.4f}, epoch {ended.epoch} of {ended.epochs}, {ended.seconds:.0f} s"
        self._print(f"  {trial}: {words}{' (from before)' if before else ''}")

    def decided(self, findings: Findings, tried: tuple[Tried, ...]) -> None:
        self._print(decision(findings, tried))

    def step(self, share: float, words: str) -> None:
        super().step(share, f"{self.trial}: {words}{self.latest}")

    def epoch(self, record: EpochRecord, *, best: bool) -> None:
        # A line an epoch would be too much; epochs.csv of each trial has them.
        if record.scores is not None:
            self.latest = f", {record.scores.psnr:.2f} dB"


def decision(findings: Findings, tried: tuple[Tried, ...]) -> str:
    """What was decided of the baseline or of one variable, in a line."""
    first = tried[0]
    if first.verdict == "baseline":
        return (
            f"baseline: {first.psnr:.2f} dB (rainy {findings.rainy_psnr:.2f}), seeds differ by {findings.noise:.3f} dB"
        )
    kept = next((each for each in tried if each.verdict == "kept"), None)
    if kept is None:
        return f"{first.variable}: nothing is better by more than {first.needed:.3f} dB; stays at {_base(tried).label}"
    return (
        f"{first.variable}: {kept.label} is kept, {kept.difference:+.3f} dB to {kept.psnr:.2f} dB "
        f"(more than {kept.needed:.3f} are needed)"
    )


def show_outcome(outcome: TuneOutcome) -> None:
    """All that was tried, where it lies, and how to train with the best setting."""
    findings = outcome.findings
    console.print(_table(findings))
    console.print("Differences are to the setting so far, with the same seeds.", style="dim", highlight=False)
    gain = findings.best.psnr - findings.baseline.psnr
    lines = [
        f"best: {findings.best.psnr:.2f} dB, {gain:+.2f} dB over the baseline; seeds differ by {findings.noise:.3f} dB",
        f"table: {outcome.table}",
        f"chart: {outcome.chart}",
        f"best setting: {outcome.best}",
        f"train with it: {shlex.join(outcome.command)}",
    ]
    if findings.passed_over:
        lines.insert(1, f"passed over, as they are not for this network: {', '.join(findings.passed_over)}")
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _table(findings: Findings) -> Table:
    """The names of variables stand above their values, so that it fits into 80 columns."""
    table = Table(box=SIMPLE_HEAD)
    for name in ("value", "PSNR dB", "difference", "seeds", "verdict"):
        figure = name not in ("value", "verdict")
        table.add_column(name, justify="right" if figure else "left", no_wrap=figure, overflow="fold")
    for variable, group in groupby(findings.tried, key=lambda tried: tried.variable):
        if variable != "baseline":
            table.add_row(escape(variable), style="bold")
        for tried in group:
            psnr = f"{tried.psnr:.2f}" if tried.results else "-"
            plain = tried.verdict in ("baseline", "base") or not tried.results
            difference = "" if plain else f"{tried.difference:+.3f}"
            verdict = f"{tried.verdict}: {tried.reason}" if tried.reason else tried.verdict
            cells = (
                f"  {tried.label}" if tried.label else variable,
                psnr,
                difference,
                str(len(tried.results)),
                verdict,
            )
            table.add_row(*map(escape, cells), style=STYLES.get(tried.verdict, ""))
    return table


def _base(tried: tuple[Tried, ...]) -> Tried:
    return next(each for each in tried if each.verdict == "base")
