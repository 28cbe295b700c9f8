"""One variable after the other: try its values on the best setting so far, and keep what is better than noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Final, Protocol

from drivederain.engine.training_run.data import validation_size
from drivederain.engine.training_run.settings import Size
from drivederain.engine.tuning.decide import Verdict, difference, needed, seed_noise, verdicts
from drivederain.engine.tuning.ledger import Ledger
from drivederain.engine.tuning.setting import Changes, changed, is_set, label_of, values_now
from drivederain.engine.tuning.settings import TuneSettings
from drivederain.engine.tuning.trial import Ended, Trial, TrialFailed, TrialFailure, TrialResult
from drivederain.errors import MethodError
from drivederain.specs import MethodSpec, VariableSpec
from drivederain.training.hyperparameters import Hyperparameters

Train = Callable[[Trial, Path], TrialResult]
"""Trains a trial in its folder, from the beginning or from what lies there on.

It raises ``TrialFailed`` where the trial is lost; whatever else it raises ends the study.
"""

BASELINE: Final = "baseline"


@dataclass(frozen=True)
class Tried:
    """A value of a variable: its trainings, one a seed, and the verdict."""

    variable: str
    label: str
    options: Mapping[str, str]
    """The whole setting, as typed after ``--set METHOD.``."""
    results: tuple[TrialResult, ...]
    folders: tuple[str, ...]
    verdict: Verdict
    base_scores: tuple[float, ...]
    """Of the setting that it was held against, dB, one a seed; the value's own where it is that setting."""
    needed: float = 0.0
    """dB that it had to be better by."""
    reason: str = ""
    """Why it failed."""

    @property
    def scores(self) -> list[float]:
        return [result.psnr for result in self.results]

    @property
    def psnr(self) -> float:
        """Mean over the seeds, dB."""
        return fmean(self.scores)

    @property
    def ssim(self) -> float:
        return fmean(result.ssim for result in self.results)

    @property
    def difference(self) -> float:
        """From the setting that it was held against, dB: of the means over the seeds that the value has."""
        return difference(self.scores, self.base_scores)


@dataclass(frozen=True)
class Findings:
    """What a study found so far. ``tried`` begins with the baseline."""

    tried: tuple[Tried, ...]
    best: Tried
    noise: float
    """Standard deviation between seeds, dB, pooled over all settings trained with several."""
    passed_over: tuple[str, ...] = ()
    """Variables that are not for the network at hand."""

    @property
    def baseline(self) -> Tried:
        return self.tried[0]

    @property
    def rainy_psnr(self) -> float:
        """Of the rainy validation pictures themselves, dB."""
        return self.baseline.results[0].rainy_psnr


class Watcher(Protocol):
    """Told of what a study does."""

    def trial_begins(self, trial: Trial) -> None:
        """A training begins."""

    def trial_ended(self, trial: Trial, ended: Ended, *, before: bool) -> None:
        """A training is over; ``before``: it was before, and is not repeated."""

    def decided(self, findings: Findings, tried: tuple[Tried, ...]) -> None:
        """The baseline, or all values of one variable, are tried."""


class Study:
    """The search itself. It is run from the beginning each time; what the ledger knows is not trained again."""

    def __init__(
        self, settings: TuneSettings, spec: MethodSpec, ledger: Ledger, train: Train, watcher: Watcher
    ) -> None:
        self.settings, self.spec, self.ledger, self.train, self.watcher = settings, spec, ledger, train, watcher
        self.val_size: Size | None = settings.base.val_size
        self.tried: list[Tried] = []
        self.passed_over: list[str] = []

    def run(self) -> Findings:
        """Tune all variables.

        Raises:
            MethodError: the baseline cannot be trained.
            Exception: whatever the training raises that no other trial would escape.
        """
        self.best = self._baseline()
        self.tried.append(self.best)
        self.watcher.decided(self.findings, (self.best,))
        for variable in self.settings.variables:
            now = self.best.results[0].options
            if all(_plain(now.get(name)) == _plain(value) for name, value in variable.when.items()):
                self._tune(variable)
        tuned = {tried.variable for tried in self.tried}
        names = dict.fromkeys(variable.name for variable in self.settings.variables)
        self.passed_over = [name for name in names if name not in tuned]
        return self.findings

    @property
    def findings(self) -> Findings:
        return Findings(tuple(self.tried), self.best, self._noise(()), tuple(self.passed_over))

    def _noise(self, more: tuple[Tried, ...]) -> float:
        # A setting that was kept is the base of the next variable too, and counts once.
        settings = {tuple(sorted(tried.options.items())): tried.scores for tried in (*self.tried, *more)}
        return seed_noise(scores for scores in settings.values() if len(scores) == self.settings.seeds)

    def _baseline(self) -> Tried:
        options = dict(self.settings.base.options.get(self.spec.name, {}))
        results: list[TrialResult] = []
        folders: list[str] = []
        for seed in self.settings.all_seeds:
            result, folder = self._trial(Trial(BASELINE, "", options, seed, self.val_size), baseline=True)
            assert isinstance(result, TrialResult)
            results.append(result)
            folders.append(folder)
        # Other sizes are trained at: their scores can be compared on the same pictures only.
        self.val_size = validation_size(self.settings.base, Hyperparameters(**results[0].hyperparameters))
        scores = tuple(result.psnr for result in results)
        return Tried(BASELINE, "", options, tuple(results), tuple(folders), BASELINE, scores)

    def _tune(self, variable: VariableSpec) -> None:
        base = self.best
        tried = [self._value(variable, value) for value in variable.values]
        if not any(each.verdict == "base" for each in tried):
            label = label_of(values_now(variable.values[0], base.results[0]))
            tried.insert(0, self._is_base(variable, label))
        needs = needed(self._noise(tuple(tried)), self.settings.seeds, self.settings.margin)
        found = iter(verdicts(base.scores, [each.scores for each in tried if each.verdict != "base"], needs))
        judged = tuple(
            replace(each, needed=needs, verdict=each.verdict if each.verdict == "base" else next(found))
            for each in tried
        )
        self.tried += judged
        self.best = next((each for each in judged if each.verdict == "kept"), base)
        self.watcher.decided(self.findings, judged)

    def _value(self, variable: VariableSpec, changes: Changes) -> Tried:
        """Train one value with one seed after the other, for as long as it looks better than the base."""
        base, label = self.best, label_of(changes)
        if is_set(changes, base.results[0], self.spec):
            return self._is_base(variable, label)
        options = changed(base.options, changes, base.results[0].hyperparameters["losses"])
        value = Tried(variable.name, label, options, (), (), "not better", tuple(base.scores))
        for seed in self.settings.all_seeds:
            ended, folder = self._trial(Trial(variable.name, label, options, seed, self.val_size))
            folders = (*value.folders, folder)
            if isinstance(ended, TrialFailure):
                return replace(value, results=(), folders=folders, verdict="failed", reason=ended.reason)
            value = replace(value, results=(*value.results, ended), folders=folders)
            if value.difference <= 0:
                break
        return value

    def _is_base(self, variable: VariableSpec, label: str) -> Tried:
        return replace(
            self.best, variable=variable.name, label=label, verdict="base", base_scores=tuple(self.best.scores)
        )

    def _trial(self, trial: Trial, *, baseline: bool = False) -> tuple[Ended, str]:
        ended = self.ledger.find(trial)
        before = ended is not None
        if ended is None:
            folder = self.ledger.begin(trial)
            self.watcher.trial_begins(trial)
            try:
                ended = self.train(trial, folder)
            except TrialFailed as failure:
                if baseline:
                    # Not noted: with the cause mended, the same study goes on.
                    raise MethodError(f"the baseline cannot be trained with seed {trial.seed}: {failure}") from failure
                ended = TrialFailure(str(failure))
            self.ledger.end(trial, ended)
        self.watcher.trial_ended(trial, ended, before=before)
        place = self.ledger.folder_of(trial)
        return ended, place.name if place else ""


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
