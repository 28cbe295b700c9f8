"""Studies of made-up trainings: a formula gives the score of a setting and a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivederain.engine.options import hyperparameters_typed, method_options
from drivederain.engine.training_run.settings import TrainSettings
from drivederain.engine.tuning.ledger import Ledger
from drivederain.engine.tuning.settings import BUDGET, TuneSettings
from drivederain.engine.tuning.study import Findings, Study, Train, Tried
from drivederain.engine.tuning.trial import Trial, TrialResult
from drivederain.registry import Registry
from drivederain.specs import MethodSpec, VariableSpec
from drivederain.training.hyperparameters import Hyperparameters

Score = Callable[[Mapping[str, str], int], float]


class Silent:
    def trial_begins(self, trial: Trial) -> None: ...

    def trial_ended(self, trial: Trial, ended: Any, *, before: bool) -> None: ...

    def decided(self, findings: Findings, tried: tuple[Tried, ...]) -> None: ...


class Bench:
    """``calls`` are the trainings in their order, as ``label/seed``."""

    def __init__(self, folder: Path, unet: MethodSpec) -> None:
        self.folder, self.unet = folder, unet
        self.calls: list[str] = []

    def settings(self, *variables: VariableSpec, **more: Any) -> TuneSettings:
        base = TrainSettings(
            method="unet",
            data=("synthetic:photos",),
            out=self.folder,
            cache=self.folder.parent / "cache",
            budget=BUDGET,
        )
        own = {name: more.pop(name) for name in ("seeds", "margin", "retry_failed") if name in more}
        return TuneSettings(replace(base, **more), variables, **own)

    def run(self, settings: TuneSettings, score: Score) -> Findings:
        def train(trial: Trial, folder: Path) -> TrialResult:
            assert folder.parent == self.folder / "trials"
            self.calls.append(f"{trial.label or trial.variable}/{trial.seed}")
            return self.result(trial, score(trial.options, trial.seed))

        return self.study(settings, train)

    def study(self, settings: TuneSettings, train: Train) -> Findings:
        with Ledger(settings.out, settings.base.record(), retry_failed=settings.retry_failed) as ledger:
            return Study(settings, self.unet, ledger, train, Silent()).run()

    def result(self, trial: Trial, psnr: float) -> TrialResult:
        recipe = Hyperparameters().changed(hyperparameters_typed(trial.options), "training.")
        return TrialResult(
            psnr=psnr,
            ssim=0.8,
            epoch=20,
            epochs=25,
            seconds=10.0,
            rainy_psnr=20.0,
            options=method_options(self.unet, trial.options).model_dump(mode="json"),
            hyperparameters=recipe.model_dump(mode="json"),
        )


@pytest.fixture(scope="session")
def unet() -> MethodSpec:
    return Registry.discover().method("unet")


@pytest.fixture
def bench(tmp_path: Path, unet: MethodSpec) -> Bench:
    return Bench(tmp_path / "study", unet)
