"""Tune one method: ``drivederain-bench tune``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from drivederain.engine.device import choose_device
from drivederain.engine.training_run.run import TrainDisplay, preset_of
from drivederain.engine.tuning import best, chart, grid, table
from drivederain.engine.tuning.ledger import Ledger
from drivederain.engine.tuning.settings import TuneSettings
from drivederain.engine.tuning.study import Findings, Study, Tried, Watcher
from drivederain.engine.tuning.trainer import Trainer, find_pictures
from drivederain.engine.tuning.trial import Ended, Trial
from drivederain.errors import OptionError
from drivederain.registry import Registry
from drivederain.results.run_folder import write_atomically
from drivederain.results.training_folder import TrainingFolder


class TuneDisplay(TrainDisplay, Watcher, Protocol):
    """Shows the trials of a study, and how each training goes."""


@dataclass(frozen=True)
class TuneOutcome:
    """What a study found, and the files that tell it."""

    findings: Findings
    table: Path
    chart: Path
    best: Path
    command: tuple[str, ...]
    """That trains with the best setting."""


def tune_method(settings: TuneSettings, registry: Registry, display: TuneDisplay) -> TuneOutcome:
    """Begin a study in its folder, or go on with it, until all variables are tuned.

    ``table.csv``, ``chart.png`` and ``best.toml`` are written after each variable.

    Raises:
        DriveDeRainError: anything that the user can mend: names, options, data, folder, a baseline that is not trained.
    """
    spec = registry.chain(settings.base.method).last
    if not spec.trainable:
        raise OptionError(f"{spec.name} cannot be tuned: it has nothing to train, or comes ready")
    typed = settings.base.options.get(spec.name, {})
    grid.check(settings.variables, spec, typed, preset_of(spec, settings.base.preset))
    words, pictures = find_pictures(settings.base, spec, typed, registry)
    frame = settings.base.record() | {"device": choose_device(settings.base.device).type, "pictures": pictures}
    with Ledger(settings.out, frame, retry_failed=settings.retry_failed) as ledger:
        display.note(words)
        written = _Written(display, settings, ledger)
        base = replace(settings.base, data_seed=settings.base.seed)
        train = Trainer(base, spec, registry, display)
        findings = Study(settings, spec, ledger, train, written).run()
        return written.write(findings)


class _Written:
    """A watcher that writes what was found, and removes the weights of trials that ended, before it passes it on."""

    def __init__(self, display: TuneDisplay, settings: TuneSettings, ledger: Ledger) -> None:
        self.display, self.settings, self.ledger = display, settings, ledger

    def trial_begins(self, trial: Trial) -> None:
        self.display.trial_begins(trial)

    def trial_ended(self, trial: Trial, ended: Ended, *, before: bool) -> None:
        folder = self.ledger.folder_of(trial)
        if folder is not None and not self.settings.keep_weights:
            shutil.rmtree(TrainingFolder(folder).checkpoints, ignore_errors=True)
        self.display.trial_ended(trial, ended, before=before)

    def decided(self, findings: Findings, tried: tuple[Tried, ...]) -> None:
        self.write(findings)
        self.display.decided(findings, tried)

    def write(self, findings: Findings) -> TuneOutcome:
        out = self.settings.out
        outcome = TuneOutcome(
            findings, out / "table.csv", out / "chart.png", out / "best.toml", best.command(self.settings, findings)
        )
        write_atomically(outcome.table, table.as_csv(findings).encode())
        write_atomically(outcome.best, best.as_toml(self.settings, findings).encode())
        chart.draw_chart(findings, outcome.chart, title=chart.title_of(self.settings))
        return outcome
