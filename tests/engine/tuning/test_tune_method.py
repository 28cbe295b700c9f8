"""A whole study with real trainings of a tiny network on tiny pictures."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from drivederain.engine.training_run.settings import TrainSettings
from drivederain.engine.tuning import trainer
from drivederain.engine.tuning.run import TuneOutcome, tune_method
from drivederain.engine.tuning.settings import TuneSettings
from drivederain.engine.tuning.study import Findings
from drivederain.engine.tuning.trial import Interrupted, Trial, TrialFailed
from drivederain.errors import DataError, MethodError, OptionError
from drivederain.registry import Registry
from drivederain.results.training_folder import TrainingFolder
from drivederain.specs import VariableSpec
from drivederain.training import steps
from drivederain.training.progress import Budget

TINY = {
    "architecture": "custom", "width": "8", "depth": "4", "residual": "false",
    "training.crop": "32", "training.batch_size": "2", "training.losses": "l1:1",
    "training.ema": "0", "training.target_psnr": "1",
}  # fmt: skip
VARIABLES = (
    VariableSpec("rate", tuple({"training.learning_rate": rate} for rate in (1e-3, 1e-2))),
    # Crops are too small for it.
    VariableSpec("ms_ssim", ({"training.losses.ms_ssim": 1.0},)),
    # The custom network has none, so the same is trained.
    VariableSpec("encoder", ({"encoder": "resnet18"},)),
    VariableSpec("resolution", ({"training.size": 20},)),
)


class Killed(BaseException):
    """Stands for the end of the process."""


class Notes:
    """A display that remembers; with ``kill`` the process ends at the second step of that training."""

    def __init__(self, kill: int = 0) -> None:
        self.kill = kill
        self.trained: list[str] = []
        self.notes: list[str] = []
        self.first_steps: list[str] = []

    def trial_begins(self, trial: Any) -> None:
        self.trained.append(str(trial))
        self.first_steps.append("")

    def trial_ended(self, trial: Any, ended: Any, *, before: bool) -> None: ...

    def decided(self, findings: Findings, tried: Any) -> None: ...

    def step(self, share: float, words: str) -> None:
        if words.startswith("step"):
            self.first_steps[-1] = self.first_steps[-1] or words.partition(":")[0]
            if len(self.trained) == self.kill and words.startswith("step 2"):
                raise Killed

    def epoch(self, record: Any, *, best: bool) -> None: ...

    def note(self, words: str) -> None:
        self.notes.append(words)

    def begin(self, phase: str, total: int) -> None: ...

    def advance(self, done: float, words: str = "") -> None: ...

    def end(self, words: str = "") -> None: ...

    def warn(self, message: str) -> None: ...


@pytest.fixture
def settings(tmp_path: Path, make_pairs: Any) -> TuneSettings:
    base = TrainSettings(
        method="unet",
        data=(f"paired:{make_pairs(tmp_path / 'pairs', 6)}",),
        val_data=(f"paired:{make_pairs(tmp_path / 'val', 2, first=50)}",),
        out=tmp_path / "study",
        cache=tmp_path / "cache",
        options={"unet": TINY},
        budget=Budget(epochs=1),
        device="cpu",
        workers=0,
        save_steps=1,
    )
    return TuneSettings(base, VARIABLES, seeds=2)


def without_times(outcome: TuneOutcome) -> list[Any]:
    return [
        replace(tried, results=tuple(replace(result, seconds=0.0) for result in tried.results))
        for tried in outcome.findings.tried
    ]


def test_a_study_with_real_trainings_and_one_that_was_killed_in_a_training(
    settings: TuneSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "REPORT_SECONDS", 0.0)
    registry, notes = Registry.discover(), Notes()
    outcome = tune_method(settings, registry, notes)
    assert notes.notes[0].startswith("6 pictures to train on (paired:pairs), 2 to validate on (paired:val)")
    tried = {each.label or each.variable: each for each in outcome.findings.tried}
    assert tried["learning_rate=0.001"].verdict == "base" and tried["losses.ms_ssim=1.0"].verdict == "failed"
    assert "ms_ssim needs crops of at least 161" in tried["losses.ms_ssim=1.0"].reason
    same = tried["encoder=resnet18"]
    assert (same.verdict, same.difference, len(same.results)) == ("not better", 0.0, 1), (
        "a trial depends on its seed only"
    )
    baseline = tried["baseline"].results
    assert baseline[0].psnr != baseline[1].psnr
    results = [result for each in outcome.findings.tried for result in each.results]
    assert {result.rainy_psnr for result in results} == {baseline[0].rainy_psnr}, (
        "at all sizes and seeds the same pictures"
    )
    assert {result.stop_reason for result in results} == {"the budget is used up"}, "no target ends a trial"

    trained = TrainingFolder(settings.out / "trials" / tried["size=20"].folders[0])
    record = trained.read_record()
    assert record["hyperparameters"]["size"] == 20 and (record["val_size"], record["data_seed"]) == ("native", 0)
    assert trained.epochs.exists() and not trained.checkpoints.exists()
    assert all(path.exists() for path in (outcome.table, outcome.chart, outcome.best))

    killed = replace(settings, base=replace(settings.base, out=tmp_path / "killed"), variables=VARIABLES[:1])
    rates = [each for each in notes.trained if each.startswith("learning_rate=0.01")]
    kill = notes.trained.index(rates[0]) + 1
    with pytest.raises(Killed):
        tune_method(killed, registry, Notes(kill))
    again = Notes()
    resumed = tune_method(killed, registry, again)
    assert again.trained == rates, "what had ended is not trained again"
    assert (notes.first_steps[kill - 1], again.first_steps[0]) == ("step 1", "step 2"), "and the one at hand goes on"
    assert without_times(resumed) == without_times(outcome)[:3]
    assert (
        json.loads((killed.out / "trials" / "000-baseline-seed0" / "training.json").read_text())["status"] == "finished"
    )


class Stops(Notes):
    """A signal comes in the last step of the first training."""

    def step(self, share: float, words: str) -> None:
        if share >= 1 and len(self.trained) == 1:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_in_the_last_step_of_a_trial_ends_the_study_for_now(settings: TuneSettings) -> None:
    settings = replace(settings, variables=VARIABLES[1:2])
    registry, stopped, again = Registry.discover(), Stops(), Notes()
    with pytest.raises(Interrupted):
        tune_method(settings, registry, stopped)
    assert len(stopped.trained) == 1
    outcome = tune_method(settings, registry, again)
    assert again.trained[0] == stopped.trained[0] and not again.first_steps[0], "all of its steps were done"
    assert outcome.findings.tried[0].results[0].epochs == 1


def test_other_pictures_are_another_study(settings: TuneSettings, tmp_path: Path, make_pairs: Any) -> None:
    settings = replace(settings, variables=VARIABLES[1:2])
    tune_method(settings, Registry.discover(), Notes())
    make_pairs(tmp_path / "val", 2, first=80)
    with pytest.raises(DataError, match="a study of other trainings: its pictures are not the same"):
        tune_method(settings, Registry.discover(), Notes())


def test_what_cannot_be_tuned_is_said_before_anything_is_written(settings: TuneSettings, tmp_path: Path) -> None:
    def tuned(**changes: Any) -> TuneSettings:
        return replace(settings, base=replace(settings.base, **changes))

    registry = Registry.discover()
    with pytest.raises(OptionError, match="identity cannot be tuned: it has nothing to train"):
        tune_method(tuned(method="identity", options={}), registry, Notes())
    with pytest.raises(OptionError, match=r"--preset phase3: unet has no such preset.* Did you mean 'phase2'"):
        tune_method(tuned(preset="phase3"), registry, Notes())
    with pytest.raises(OptionError, match="variable depth, depth=7"):
        tune_method(replace(settings, variables=(VariableSpec("depth", ({"depth": 7},)),)), registry, Notes())
    assert not settings.out.exists()


def test_a_baseline_that_cannot_be_trained_ends_the_study(settings: TuneSettings) -> None:
    base = replace(settings.base, options={"unet": TINY | {"training.losses": "ms_ssim:1"}})
    notes = Notes()
    with pytest.raises(
        Exception, match="the baseline cannot be trained with seed 0: the loss term ms_ssim needs crops"
    ):
        tune_method(replace(settings, base=base), Registry.discover(), notes)
    assert notes.trained == ["baseline, seed 0"]


@pytest.mark.parametrize(
    ("raised", "expected", "says"),
    [
        (OptionError("the decoder does not fit"), TrialFailed, "^the decoder does not fit$"),
        (MethodError("the loss is NaN"), TrialFailed, "^the loss is NaN$"),
        (torch.OutOfMemoryError("CUDA out of memory"), TrialFailed, "^out of memory: CUDA"),
        (MemoryError(), TrialFailed, "^out of memory$"),
        (ValueError("shapes"), TrialFailed, "^ValueError: shapes$"),
        (SystemExit(3), TrialFailed, "tried to end the program"),
        (
            RuntimeError("CUDA error: an illegal memory access"),
            MethodError,
            "the GPU was lost .*the same command again",
        ),
        (DataError("photo1.png cannot be decoded"), DataError, "photo1"),
        (OSError(28, "No space left on device"), OSError, "No space"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_which_errors_are_a_trial_s_own(
    settings: TuneSettings,
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    expected: type[BaseException],
    says: str | None,
) -> None:
    def fails(*_: Any) -> None:
        raise raised

    monkeypatch.setattr(trainer, "train_method", fails)
    registry = Registry.discover()
    train = trainer.Trainer(settings.base, registry.method("unet"), registry, Notes())
    with pytest.raises(expected, match=says) as caught:
        train(Trial("depth", "depth=4", {"depth": "4"}, 0), settings.out / "trials" / "000")
    assert type(caught.value) is expected
