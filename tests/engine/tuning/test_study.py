"""The search: what is trained in which order, what is kept, and that a killed study goes on as if nothing had been."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from drivederain.engine.tuning.study import Findings
from drivederain.engine.tuning.trial import Trial, TrialFailed, TrialResult
from drivederain.errors import MethodError
from drivederain.specs import VariableSpec

SEEDS = (0.0, 0.1, -0.1)
"""What a seed adds to a score: the noise is .1 dB, and with three seeds and a margin of 2 more than .163 are needed."""
RATE = VariableSpec("learning_rate", tuple({"training.learning_rate": rate} for rate in (5e-5, 1e-4, 2e-4)))
BATCH = VariableSpec("batch_size", tuple({"training.batch_size": size} for size in (8, 16)))
BASE = {"unet": {"training.learning_rate": "1e-4"}}


def score(options: Mapping[str, str], seed: int, **gains: float) -> float:
    """26 dB, what the seed adds, and what each value adds: ``batch_size_16=.3``."""
    there = {f"{name.removeprefix('training.')}_{text}" for name, text in options.items()}
    return 26.0 + SEEDS[seed] + sum(gain for value, gain in gains.items() if value.replace("__", ".") in there)


def verdicts(findings: Findings) -> list[tuple[str, str]]:
    return [(tried.label or tried.variable, tried.verdict) for tried in findings.tried]


def test_variables_are_tuned_one_after_the_other_upon_what_was_kept(bench: Any) -> None:
    seen = []

    def scored(options: Mapping[str, str], seed: int) -> float:
        seen.append(dict(options))
        return score(options, seed, learning_rate_5e__05=-1, learning_rate_0__0002=0.2, batch_size_16=0.17)

    findings = bench.run(bench.settings(RATE, BATCH, options=BASE), scored)
    assert bench.calls == [
        "baseline/0", "baseline/1", "baseline/2",
        "learning_rate=5e-05/0",
        "learning_rate=0.0002/0", "learning_rate=0.0002/1", "learning_rate=0.0002/2",
        "batch_size=16/0", "batch_size=16/1", "batch_size=16/2",
    ]  # fmt: skip
    assert verdicts(findings) == [
        ("baseline", "baseline"),
        ("learning_rate=5e-05", "not better"),
        ("learning_rate=0.0001", "base"),
        ("learning_rate=0.0002", "kept"),
        ("batch_size=8", "base"),
        ("batch_size=16", "kept"),
    ]
    assert seen[-1] == {"training.learning_rate": "0.0002", "training.batch_size": "16"}
    assert findings.best.options == seen[-1]
    assert findings.noise == pytest.approx(0.1)
    assert findings.best.psnr == pytest.approx(26.37) and findings.best.difference == pytest.approx(0.17)
    assert findings.best.needed == pytest.approx(2 * 0.1 * (2 / 3) ** 0.5)


def test_what_is_within_noise_is_not_kept_unless_less_is_asked_for(bench: Any, tmp_path: Path) -> None:
    def scored(options: Mapping[str, str], seed: int) -> float:
        return score(options, seed, batch_size_16=0.16)

    assert verdicts(bench.run(bench.settings(BATCH), scored))[-1] == ("batch_size=16", "within noise")
    # The same study with another margin needs no training.
    assert verdicts(bench.run(bench.settings(BATCH, margin=1.9), scored))[-1] == ("batch_size=16", "kept")
    assert len(bench.calls) == 6


def test_a_value_is_dropped_as_soon_as_it_no_longer_looks_better_with_the_same_seeds(bench: Any) -> None:
    luck = {("16", 0): 0.05, ("16", 1): -0.06}

    def scored(options: Mapping[str, str], seed: int) -> float:
        return score(options, seed) + luck.get((options.get("training.batch_size", ""), seed), 0.0)

    findings = bench.run(bench.settings(BATCH), scored)
    assert bench.calls[3:] == ["batch_size=16/0", "batch_size=16/1"]
    assert findings.tried[-1].verdict == "not better" and findings.tried[-1].difference == pytest.approx(-0.005)
    assert findings.best is findings.baseline


def test_the_base_has_a_row_where_no_value_of_the_grid_is_its_own(bench: Any) -> None:
    findings = bench.run(bench.settings(RATE), lambda options, seed: score(options, seed))
    assert verdicts(findings)[1:] == [
        ("learning_rate=0.001", "base"),
        ("learning_rate=5e-05", "not better"),
        ("learning_rate=0.0001", "not better"),
        ("learning_rate=0.0002", "not better"),
    ]


def test_variables_of_another_network_are_passed_over(bench: Any, unet: Any) -> None:
    variables = [variable for variable in unet.tuning if variable.name in ("depth", "channels", "encoder")]
    findings = bench.run(
        bench.settings(*variables, options={"unet": {"architecture": "custom", "depth": "4"}}),
        lambda options, seed: score(options, seed, depth_5=1.0),
    )
    assert bench.calls[3:] == ["depth=5/0", "depth=5/1", "depth=5/2", "width=32/0"]
    assert findings.passed_over == ("encoder",)
    # The decoder's channels go by the depth that was kept.
    bench.calls.clear()
    bench.folder = bench.folder.parent / "smp"
    bench.run(bench.settings(*variables), lambda options, seed: score(options, seed, depth_4=1.0))
    assert bench.calls[3:6] == [f"depth=4, decoder_channels=256,128,64,32/{seed}" for seed in range(3)]
    assert bench.calls[6] == "decoder_channels=128,64,32,16/0"


def test_a_failed_trial_is_told_and_the_study_goes_on(bench: Any) -> None:
    def scored(options: Mapping[str, str], seed: int) -> float:
        if options.get("training.learning_rate") == "0.0002" and seed == 1:
            raise TrialFailed("the loss is NaN")
        return score(options, seed, learning_rate_0__0002=5, batch_size_16=1)

    settings = bench.settings(RATE, BATCH, options=BASE)
    findings = bench.run(settings, scored)
    lost = findings.tried[3]
    assert (lost.label, lost.verdict, lost.reason) == ("learning_rate=0.0002", "failed", "the loss is NaN")
    assert findings.best.options == {"training.learning_rate": "1e-4", "training.batch_size": "16"}
    assert "learning_rate=0.0002/2" not in bench.calls
    bench.calls.clear()
    assert bench.run(settings, scored) == findings and bench.calls == [], "what failed is not tried again"
    retried = bench.settings(RATE, BATCH, options=BASE, retry_failed=True)
    assert bench.run(retried, scored).tried[3].verdict == "failed"
    assert bench.calls == ["learning_rate=0.0002/1"]


def test_without_a_baseline_there_is_no_study(bench: Any) -> None:
    mended = False

    def scored(options: Mapping[str, str], seed: int) -> float:
        if seed == 1 and not mended:
            raise TrialFailed("there are no encoder weights")
        return score(options, seed)

    with pytest.raises(MethodError, match="the baseline cannot be trained with seed 1: there are no encoder weights"):
        bench.run(bench.settings(BATCH), scored)
    mended = True
    bench.run(bench.settings(BATCH), scored)
    assert bench.calls == ["baseline/0", "baseline/1", "baseline/1", "baseline/2", "batch_size=16/0"]


def test_all_trials_are_validated_at_the_size_of_the_baseline(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    result = bench.result
    monkeypatch.setattr(bench, "result", lambda trial, psnr: sizes.append(trial.val_size) or result(trial, psnr))
    resolution = VariableSpec("resolution", ({"training.size": 512}, {"training.size": [256, 512, 768]}))
    base = {"unet": {"training.size": "256"}}
    bench.run(bench.settings(resolution, options=base, seeds=2), score)
    assert sizes == [None, None, 256, 256]
    bench.folder = bench.folder.parent / "asked"
    bench.run(bench.settings(resolution, options=base, seeds=2, val_size="native"), score)
    assert sizes[4:] == ["native"] * 4


def test_more_variables_values_and_seeds_can_be_added(bench: Any) -> None:
    bench.run(bench.settings(BATCH, seeds=2), score)
    assert bench.calls == ["baseline/0", "baseline/1", "batch_size=16/0"]
    bench.run(bench.settings(RATE, BATCH, seeds=3, options={}), score)
    assert bench.calls[3:] == ["baseline/2", *(f"learning_rate={rate}/0" for rate in ("5e-05", "0.0001", "0.0002"))]


def in_a_child(work: Callable[[], None]) -> int:
    """Run ``work`` in a process of its own; the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(write: int, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """``work`` is killed with SIGKILL after so many writes to the journal."""
    writes, fsync = count(1), os.fsync

    def counting(file: int) -> None:
        fsync(file)
        if next(writes) == write:
            os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counting)
        return in_a_child(work)


def test_a_study_that_is_killed_at_any_write_goes_on(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each single write: no trial that ended is trained again, none is lost, and the findings are the same."""

    def scored(options: Mapping[str, str], seed: int) -> float:
        with log.open("a") as file:
            file.write(f"{options.get('training.batch_size', 'base')}/{seed} ")
        return score(options, seed, batch_size_16=1.0)

    log = bench.folder.parent / "whole.log"
    whole = bench.run(bench.settings(BATCH, seeds=2), scored)
    expected = log.read_text().split()
    assert expected == ["base/0", "base/1", "16/0", "16/1"]
    for write in count(1):
        log = bench.folder.parent / f"{write}.log"
        bench.folder = bench.folder.parent / f"killed{write}"
        settings = bench.settings(BATCH, seeds=2)
        ended = killed_at(write, lambda settings=settings: bench.run(settings, scored), monkeypatch)
        assert bench.run(settings, scored) == whole
        trained = log.read_text().split()
        # At most the one that was running is trained once more.
        assert len(trained) <= len(expected) + 1 and list(dict.fromkeys(trained)) == expected
        if ended == 0:
            assert trained == expected
            break
        assert ended == -signal.SIGKILL
    assert write > 30


def test_the_trial_that_was_running_goes_on_in_its_folder(bench: Any) -> None:
    folders: list[str] = []

    def train(trial: Trial, folder: Path) -> TrialResult:
        folders.append(folder.name)
        if len(folders) == 3:
            raise KeyboardInterrupt
        return bench.result(trial, score(trial.options, trial.seed))

    settings = bench.settings(BATCH, seeds=2)
    with pytest.raises(KeyboardInterrupt):
        bench.study(settings, train)
    bench.study(settings, train)
    assert folders == ["000-baseline-seed0", "001-baseline-seed1", *["002-batch_size-16-seed0"] * 2]
