"""Runs that train: splits, the cache of weights, budgets, and the same weights from the same command."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock, Timeout

from drivederain.data.content import content_of
from drivederain.data.decode import decode
from drivederain.data.sample import Sample
from drivederain.engine import held_lock, train_apart
from drivederain.engine.cells import Failure, store_output
from drivederain.engine.datasets import gather
from drivederain.engine.device import DeviceRunner, noise_name
from drivederain.engine.display import Silent
from drivederain.engine.failures import StageFailed
from drivederain.engine.on_demand import OnDemand
from drivederain.engine.prepare import Preparation
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.engine.train import Trainer
from drivederain.engine.training_run.run import _restorer
from drivederain.errors import DataError, MethodError, OptionError, WeightsError
from drivederain.training.progress import Budget
from drivederain.weights import read_weights


@pytest.fixture
def ten(tmp_path: Path, make_pairs: Any) -> Path:
    return make_pairs(tmp_path / "ten", 10)


def about(outcome: Any, method: str) -> dict[str, Any]:
    return next(one for one in outcome.folder.about()["methods"] if one["name"] == method)


def trained_files(bench: Any) -> dict[str, bytes]:
    folder = bench.folder / "cache" / "weights"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.safetensors"))}


def trained_file(bench: Any, method: str) -> Path:
    (path,) = (bench.folder / "cache" / "weights" / method).glob("*.safetensors")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def test_what_has_no_weights_is_trained_on_the_train_split(bench: Any, ten: Path, calls: Any) -> None:
    outcome = bench("tiny,tiny+tiny-refiner,blur", f"paired:{ten}")
    assert outcome.exit_status == 0
    results = outcome.folder.results()
    assert set(results["split"]) == {"test"} and results["image"].nunique() == 2
    assert set(results[results["method"] == "blur"]["image"]) == set(results["image"]), "scored on the same pictures"
    assert "paired:ten: only its test part is scored; the train part of paired:ten is for training" in bench.warnings
    assert not results["seen"].any()
    assert set(results[results["method"] == "tiny+tiny-refiner"]["weights_class"]) == {"trained here+trained here"}
    assert set(results[results["method"] == "tiny"]["budget"]) == {"3 steps"}
    refiner = about(outcome, "tiny+tiny-refiner")["weights"][1]
    assert (refiner["behind"], refiner["steps"], refiner["trained_on"]) == ("tiny", 3, "the train part of paired:ten")
    trained = read_weights(trained_file(bench, "tiny")).metadata
    tested = {
        content_of(decode((ten / "clear" / f"{name}.png").read_bytes(), name)).sha256 for name in results["image"]
    }
    assert len(trained["training_pictures"]) == 7 and not tested & set(trained["training_pictures"])
    assert trained["architecture"] == {"width": 2}


def test_the_second_run_trains_and_restores_nothing(bench: Any, ten: Path, calls: Any) -> None:
    first = bench("tiny,tiny+tiny-refiner", f"paired:{ten}")
    done = dict(calls)
    second = bench("tiny,tiny+tiny-refiner", f"paired:{ten}")
    assert dict(calls) == done and second.restored_now == 0
    assert first.folder.results_parquet.read_bytes() == second.folder.results_parquet.read_bytes()


def test_the_same_command_trains_the_same_weights(
    bench: Any, ten: Path, tmp_path: Path, registry: Any, stops_at: Any
) -> None:
    first = bench("tiny,tiny+tiny-refiner", f"paired:{ten}")
    other = type(bench)(tmp_path / "other", registry)
    # In another order, after a stop in the middle of the refiner's training, when estimates are in the cache already.
    with pytest.raises(KeyboardInterrupt):
        # It is told of when it was loaded, at each pass of tiny (the first one is a warm-up), and at each step.
        other("tiny+tiny-refiner", f"paired:{ten}", display=stops_at("train tiny+tiny-refiner", 4))
    assert list((other.folder / "cache" / "cells").rglob("outputs.jsonl"))
    second = other("tiny+tiny-refiner,tiny", f"paired:{ten}")
    assert trained_files(bench) == trained_files(other)
    assert first.folder.results_parquet.read_bytes() == second.folder.results_parquet.read_bytes()
    assert contents(first.folder.path) == contents(second.folder.path)


@pytest.mark.parametrize(
    "change",
    [
        {"budget": Budget(steps=4)},
        {"seed": 1},
        {"options": {"tiny": {"width": "3"}}},
        {"options": {"tiny": {"learning_rate": "0.02"}}},
        {"options": {"tiny": {"training.jitter": "0"}}},
        {"intensities": ("light", "medium")},
    ],
)
def test_another_plan_is_another_training(bench: Any, ten: Path, calls: Any, change: dict[str, Any]) -> None:
    bench("tiny", f"paired:{ten}")
    bench("tiny", f"paired:{ten}", **change)
    assert calls["train Tiny"] == 2 and len(trained_files(bench)) == 2


def test_the_order_of_data_does_not_change_the_training(bench: Any, ten: Path, tmp_path: Path, make_pairs: Any) -> None:
    more = f"paired:{make_pairs(tmp_path / 'more', 10, first=30)}"
    bench("tiny", f"paired:{ten}", more)
    bench("tiny", more, f"paired:{ten}")
    assert len(trained_files(bench)) == 1


def test_limit_is_about_what_is_scored(bench: Any, ten: Path, tmp_path: Path, make_pairs: Any) -> None:
    train = make_pairs(tmp_path / "train", 6, first=50)
    outcome = bench("tiny", f"paired:{ten}", train_data=f"paired:{train}", limit=2)
    assert outcome.folder.results()["image"].nunique() == 2
    weights = about(outcome, "tiny")["weights"][0]
    assert weights["trained_on"] == "paired:train"
    assert (
        len(read_weights(bench.folder / "cache" / "weights" / "tiny" / weights["source"]).metadata["training_pictures"])
        == 6
    )


def test_all_is_scored_where_the_training_data_is_another(
    bench: Any, ten: Path, tmp_path: Path, make_pairs: Any
) -> None:
    train = make_pairs(tmp_path / "train", 4, first=50)
    outcome = bench("tiny", f"paired:{ten}", train_data=f"paired:{train}")
    assert outcome.folder.results()["image"].nunique() == 10
    assert set(outcome.folder.results()["split"]) == {"all"}


def test_train_data_that_is_also_tested_is_split(bench: Any, ten: Path) -> None:
    outcome = bench("tiny", f"paired:{ten}", train_data=f"paired:{ten}")
    assert set(outcome.folder.results()["split"]) == {"test"}


def test_the_same_picture_in_training_and_test_is_refused(
    bench: Any, ten: Path, tmp_path: Path, make_pairs: Any
) -> None:
    train = make_pairs(tmp_path / "train", 3, first=9)
    with pytest.raises(
        DataError, match=r"p009\.png of paired:ten is in the test data, .* \(.*p009\.png of paired:train\)"
    ):
        bench("tiny", f"paired:{ten}", train_data=f"paired:{train}")


def test_no_train_skips_with_the_reason(bench: Any, ten: Path, calls: Any) -> None:
    outcome = bench("tiny,tiny+tiny-refiner,blur", f"paired:{ten}", train=False)
    results = outcome.folder.results()
    assert outcome.exit_status == 1 and not calls["train Tiny"]
    assert set(results["split"]) == {"all"}, "nothing is trained, so all is test"
    lost = results[results["method"] == "tiny"]
    assert set(lost["status"]) == {"skipped"}
    (reason,) = set(lost["reason"])
    assert reason.startswith("tiny has no weights, and nothing is trained with --no-train")
    assert reason.endswith("Give --weights tiny=PATH.")
    assert set(results[results["method"] == "tiny+tiny-refiner"]["status"]) == {"skipped"}
    assert set(results[results["method"] == "blur"]["status"]) == {"ok"}


def test_nothing_to_train_on(bench: Any, ten: Path) -> None:
    with pytest.raises(
        DataError, match=r"tiny must be trained, and there are no clear pictures to train on\. Say on what"
    ):
        bench("tiny", f"real:{ten / 'rainy'}")


def test_a_training_that_diverges_costs_its_own_rows(bench: Any, ten: Path) -> None:
    outcome = bench("diverges,tiny", f"paired:{ten}")
    results = outcome.folder.results()
    assert outcome.exit_status == 1
    assert results[results["method"] == "diverges"]["reason"].str.contains("training stopped at step|not finite").all()
    assert set(results[results["method"] == "tiny"]["status"]) == {"ok"}
    assert not [name for name in trained_files(bench) if name.startswith("diverges")]


def test_given_weights_bring_their_options_and_what_they_saw(bench: Any, ten: Path) -> None:
    bench("tiny", f"paired:{ten}", options={"tiny": {"width": "5"}})
    path = trained_file(bench, "tiny")
    outcome = bench("tiny", f"paired:{ten}", weights={"tiny": path})
    results = outcome.folder.results()
    tiny = results[results["method"] == "tiny"]
    assert outcome.exit_status == 0 and set(tiny["weights_class"]) == {"given"} and set(tiny["split"]) == {"all"}
    assert about(outcome, "tiny")["options"]["tiny"]["width"] == 5
    assert tiny[tiny["seen"]]["image"].nunique() == 7
    assert not results[results["method"] == "identity"]["seen"].any()
    assert "tiny: 7 pictures of paired:ten were in its training set" in bench.warnings


def test_given_weights_of_another_architecture(bench: Any, ten: Path) -> None:
    bench("tiny", f"paired:{ten}")
    path = trained_file(bench, "tiny")
    outcome = bench("tiny,blur", f"paired:{ten}", weights={"tiny": path}, options={"tiny": {"width": "3"}})
    results = outcome.folder.results()
    reasons = results[results["method"] == "tiny"]["reason"]
    assert outcome.exit_status == 1
    assert reasons.str.contains("the weights are of another architecture: .* of another shape").all()
    assert set(results[results["method"] == "blur"]["status"]) == {"ok"}


def test_what_is_typed_is_checked_before_anything_runs(bench: Any, ten: Path, tmp_path: Path) -> None:
    data = f"paired:{ten}"
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"\0" * 100)
    with pytest.raises(WeightsError, match="damaged, or not in the safetensors layout"):
        bench("tiny", data, weights={"tiny": damaged})
    with pytest.raises(WeightsError, match="there is no such weights file"):
        bench("tiny", data, weights={"tiny": tmp_path / "nowhere.pth"})
    with pytest.raises(OptionError, match=r"--weights blur=.*: blur takes no weights"):
        bench("blur", data, weights={"blur": damaged})
    with pytest.raises(
        OptionError, match=r"--set brighten: no chain of this run has that method.* Chains: identity, blur\."
    ):
        bench("blur", data, options={"brighten": {"gain": "2"}})
    with pytest.raises(OptionError, match="blur has no options"):
        bench("blur", data, options={"blur": {"gain": "2"}})


@pytest.mark.parametrize("harm", [lambda data: data[:50], lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_damaged_weights_in_the_cache_are_trained_again(bench: Any, ten: Path, calls: Any, harm: Any) -> None:
    bench("tiny", f"paired:{ten}")
    whole = trained_files(bench)
    path = trained_file(bench, "tiny")
    path.write_bytes(harm(path.read_bytes()))
    bench("tiny", f"paired:{ten}")
    assert calls["train Tiny"] == 2 and trained_files(bench) == whole
    assert path.with_suffix(".damaged").is_file()


def test_a_refiner_behind_another_stage_is_warned_of(bench: Any, ten: Path) -> None:
    bench("tiny+tiny-refiner", f"paired:{ten}")
    path = trained_file(bench, "tiny-refiner")
    bench("blur+tiny-refiner", f"paired:{ten}", weights={"tiny-refiner": path})
    assert "blur+tiny-refiner: tiny-refiner's weights were trained behind tiny, not blur" in bench.warnings


def test_the_unet_and_its_refiner_train_and_restore(bench: Any, ten: Path) -> None:
    outcome = bench(
        "unet+diffusion",
        f"paired:{ten}",
        options={
            "unet": {"architecture": "custom", "width": "8", "training.crop": "32", "training.batch_size": "2"},
            "diffusion": {"channels": "8,8", "training.crop": "32", "training.batch_size": "2"},
        },
        budget=Budget(steps=2),
    )
    described = about(outcome, "unet+diffusion")
    if outcome.exit_status:
        pytest.fail(json.dumps(described, indent=1))
    assert [weights["class"] for weights in described["weights"]] == ["trained here", "trained here"]
    assert described["facts"]["unet"]["network"].startswith("custom, 8-16-32-64-128")
    assert described["options"]["unet"]["width"] == 8


class Words(Silent):
    """A display that remembers what it was told of the progress; ``heard`` is called with it."""

    def __init__(self, heard: Any = None) -> None:
        self.words: list[str] = []
        self.ends: list[str] = []
        self.warnings: list[str] = []
        self.heard = heard

    def advance(self, done: float, words: str = "") -> None:
        self.words.append(words)
        if self.heard is not None:
            self.heard(words)

    def end(self, words: str = "") -> None:
        self.ends.append(words)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def silence_from(begin: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> Words:
    """A display that makes the limit of silence short as soon as it hears the beginning of these words."""

    def heard(words: str) -> None:
        if words.startswith(begin):
            monkeypatch.setattr(train_apart, "SILENCE", seconds)

    return Words(heard)


def trained(bench: Any, method: str, ten: Path, display: Any = None, **more: Any) -> ReadyStage:
    """The method's stage after the part of a run that trains, in a process of its own."""
    settings = bench.settings(method, f"paired:{ten}", isolate=True, **more)
    preparation = Preparation(settings, bench.registry, torch.device("cpu"), display or Silent())
    data = gather(settings, bench.registry, must_train=[method])
    preparation.trainer = Trainer(settings, Silent(), data.training, data.trained_on)
    return preparation.stage(bench.registry.chains([method])[0])


def test_a_training_that_hangs_is_killed(bench: Any, ten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = silence_from("step 1", 1.5, monkeypatch)
    began = time.monotonic()
    stage = trained(bench, "tiny-that-hangs", ten, display, timeout=1.0)
    assert time.monotonic() - began < 50, "it hangs for a minute"
    assert any(words.startswith("step 1") for words in display.words)
    assert stage.problem == ("timeout", "while training, nothing was heard of it for 1.5 s (--timeout)")


def test_a_training_that_is_slow_is_not_killed(bench: Any, ten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = silence_from("step 1", 3.0, monkeypatch)
    stage = trained(bench, "tiny-sluggish", ten, display, timeout=1.0, budget=Budget(steps=9))
    assert train_apart.SILENCE == 3.0, "it takes 4.8 s"
    assert stage.usable


def test_a_training_has_the_time_of_its_method(bench: Any, ten: Path) -> None:
    stage = trained(bench, "tiny-that-hangs", ten, method_timeout=1.5)
    assert stage.problem == ("timeout", "while training, the 1.5 s of its method were over (--method-timeout)")


def test_two_runs_at_once_train_the_same_weights_once(
    bench: Any, ten: Path, tmp_path: Path, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_lock, "TELL", 0.1)
    other, display, got = type(bench)(tmp_path / "other", registry), Words(), []
    weights = trained(other, "tiny", ten).found.path
    there = bench.folder / "cache" / "weights" / "tiny" / weights.name
    there.parent.mkdir(parents=True)
    with FileLock(there.with_suffix(".lock")):  # as the run has it that trains them
        waiting = threading.Thread(target=lambda: got.append(trained(bench, "tiny", ten, display)))
        waiting.start()
        while display.words.count("waits for another run that trains tiny") < 2:
            assert waiting.is_alive()
            time.sleep(0.01)
        there.write_bytes(weights.read_bytes())
    waiting.join(timeout=20)
    assert got[0].usable and got[0].found.path == there
    assert display.ends == ["by another run"] and not any(words.startswith("step") for words in display.words)


def test_a_training_that_is_killed_from_outside_begins_anew(
    bench: Any, ten: Path, tmp_path: Path, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, display = tmp_path / "killed", Words()
    monkeypatch.setenv("KILLED_ONCE", str(mark))
    assert trained(bench, "tiny-killed-once", ten, display).usable and mark.exists()
    assert display.warnings == [
        "tiny-killed-once: while training, its process was ended by SIGTERM; it is trained anew in a fresh process"
    ]
    undisturbed = type(bench)(tmp_path / "other", registry)
    undisturbed("tiny-killed-once", f"paired:{ten}")
    assert "anew" not in undisturbed.warnings
    assert trained_files(bench) == trained_files(undisturbed)


def test_a_training_that_is_killed_twice_has_failed(bench: Any, ten: Path) -> None:
    display = Words()
    death = "its process was ended by SIGKILL, as the system does when memory runs out"
    assert trained(bench, "tiny-killed", ten, display).problem == ("failed", f"while training, {death}")
    assert display.warnings == [f"tiny-killed: while training, {death}; it is trained anew in a fresh process"]


def test_signs_of_life_while_estimates_are_restored(bench: Any, ten: Path) -> None:
    display = Words()
    bench("blur+tiny-refiner", f"paired:{ten}", display=display)
    told = display.words[: next(number for number, words in enumerate(display.words) if words.startswith("step 1"))]
    assert told[0] == "loaded"
    assert told.count("restores estimates of blur") >= 2, "a warm-up, and the pictures of the first batch"


def prefix(bench: Any, chain: str, ten: Path) -> tuple[ReadyStage, Sample, RunSettings]:
    """The stage, a picture, and what it was made for."""
    settings = bench.settings(chain, f"paired:{ten}")
    preparation = Preparation(settings, bench.registry, torch.device("cpu"), Silent())
    data = gather(settings, bench.registry, must_train=[])
    return (
        preparation.stage(bench.registry.chains([chain])[0]),
        data.tested[0][1].samples[0],
        settings,
    )


def failures(bench: Any) -> list[str]:
    files = (bench.folder / "cache" / "cells").rglob("failures.jsonl")
    return [line for file in files for line in file.read_text().splitlines()]


def test_a_training_restores_only_while_it_has_the_lock_of_the_cell(
    bench: Any, ten: Path, calls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_lock, "TELL", 0.1)
    stage, sample, settings = prefix(bench, "blur+average", ten)
    assert stage.before is not None
    cells = [stage.before.cell(settings.cache), stage.cell(settings.cache)]
    free: list[bool] = []

    def tell(words: str) -> None:
        # Asked by a second hand on the lock, as another run is.
        for cell in cells:
            try:
                FileLock(cell.folder / "lock").acquire(timeout=0).lock.release()
                free.append(True)
            except Timeout:
                free.append(False)

    estimates = OnDemand(settings, tell)
    first = estimates.output(stage, sample)
    # Passes of blur, and then of average, with one lock held at a time.
    assert set(zip(free[::2], free[1::2], strict=True)) == {(False, True), (True, False)}
    FileLock(cells[1].folder / "lock").acquire(timeout=0).lock.release()
    done = dict(calls)
    assert np.array_equal(estimates.output(stage, sample), first) and dict(calls) == done
    estimates.close()


def test_a_training_waits_for_another_run_and_takes_what_that_restored(
    bench: Any, ten: Path, calls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_lock, "TELL", 0.1)
    stage, sample, settings = prefix(bench, "blur", ten)
    told: list[str] = []
    got: list[Any] = []
    estimates = OnDemand(settings, told.append)
    other = stage.cell(settings.cache)  # of the other run
    black = np.zeros((24, 32, 3), np.uint8)
    with other.lock():
        waiting = threading.Thread(target=lambda: got.append(estimates.output(stage, sample)))
        waiting.start()
        while told.count("waits for another run that restores blur") < 2:
            time.sleep(0.01)
        assert waiting.is_alive()
        other.add([store_output(other.folder, sample.rainy.fingerprint, black, seconds=None, hardware="")])
    waiting.join(timeout=20)
    assert np.array_equal(got[0], black) and not calls["Blur"]


def test_no_room_beside_a_training_is_no_lasting_failure(bench: Any, ten: Path, calls: Any) -> None:
    outcome = bench("out-of-memory+tiny-refiner,raises+tiny-refiner", f"paired:{ten}")
    for name, words in (("out-of-memory", "out of memory: tried to allocate 80 GiB"), ("raises", "ValueError: always")):
        described = about(outcome, f"{name}+tiny-refiner")
        assert (described["status"], described["reason"]) == ("failed", f"{name} before it: {words}")
        rows = outcome.folder.results().query(f"method == '{name}+tiny-refiner'")
        assert set(rows["status"]) == {"oom" if name == "out-of-memory" else "failed"}
    by_reason = [json.loads(line)["reason"] for line in failures(bench)]
    # Two pictures are tested: the run proper tried them, with nothing beside it. One more is that of the training.
    assert by_reason.count("out of memory: tried to allocate 80 GiB") == 2
    assert by_reason.count("ValueError: always") == 3


def test_a_stage_that_cannot_be_loaded_is_not_the_failure_of_a_picture(bench: Any, ten: Path) -> None:
    stage, sample, settings = prefix(bench, "raises-at-load", ten)
    with pytest.raises(MethodError, match="raises-at-load before it: OSError: the network lies in pieces"):
        OnDemand(settings, print).output(stage, sample)
    assert not failures(bench)


def test_an_estimate_that_took_too_long_is_tried_again_with_more_time(bench: Any, ten: Path, calls: Any) -> None:
    stage, sample, settings = prefix(bench, "blur", ten)
    picture = sample.rainy.fingerprint
    stage.cell(settings.cache).fail(Failure(picture, "timeout", "it took too long", limit=60.0))
    with pytest.raises(StageFailed, match="blur before it: it took too long") as raised:
        OnDemand(replace(settings, timeout=60.0), print).output(stage, sample)
    assert raised.value.status == "timeout" and not calls["Blur"]
    assert OnDemand(replace(settings, timeout=61.0), print).output(stage, sample).shape == (24, 32, 3)
    assert stage.cell(settings.cache).has(picture)


def test_an_estimate_has_the_time_of_a_picture(bench: Any, ten: Path) -> None:
    stage, sample, settings = prefix(bench, "slow", ten)
    picture = sample.rainy.fingerprint
    with pytest.raises(StageFailed, match=r"slow before it: .*0\.2 s") as raised:
        OnDemand(replace(settings, timeout=0.2), print).output(stage, sample)
    assert raised.value.status == "timeout"
    assert stage.cell(settings.cache).failures[picture].limit == 0.2


def test_a_failure_that_another_run_has_overcome_is_none(bench: Any, ten: Path) -> None:
    stage, sample, settings = prefix(bench, "blur", ten)
    picture, other = sample.rainy.fingerprint, stage.cell(settings.cache)
    other.fail(Failure(picture, "failed", "it failed then"))
    estimates = OnDemand(settings, print)
    with pytest.raises(StageFailed, match="it failed then"):
        estimates.output(stage, sample)
    black = np.zeros((24, 32, 3), np.uint8)
    other.add([store_output(other.folder, picture, black, seconds=None, hardware="")])
    assert np.array_equal(estimates.output(stage, sample), black)


def test_a_chain_restores_pictures_that_are_no_samples_as_it_restores_samples(
    bench: Any, ten: Path, calls: Any
) -> None:
    stage, sample, settings = prefix(bench, "blur+average", ten)
    estimates = OnDemand(settings, print)
    rainy = sample.rainy.load()
    other = 255 - rainy
    made = estimates.anew(stage, [rainy, other])
    assert not stage.cell(settings.cache).outputs, "nothing of it is kept"
    assert np.array_equal(made[0], estimates.output(stage, sample))
    assert not np.array_equal(made[0], made[1])
    loads = {name: count for name, count in calls.items() if name.startswith("load")}
    estimates.anew(stage, [other])
    assert loads and {name: calls[name] for name in loads} == loads, "both stages stay loaded"
    estimates.close()


def test_a_chain_that_fails_on_fresh_rain_ends_the_training(bench: Any, ten: Path) -> None:
    stage, sample, settings = prefix(bench, "out-of-memory", ten)
    with pytest.raises(StageFailed, match="out-of-memory before it: "):
        OnDemand(settings, print).anew(stage, [sample.rainy.load()])
    assert not stage.cell(settings.cache).failures


def test_what_the_cache_cannot_take_ends_the_run(bench: Any, ten: Path) -> None:
    (bench.folder / "cache").mkdir()
    (bench.folder / "cache" / "weights").write_text("no folder")
    with pytest.raises(OSError, match="weights"):
        bench("tiny", f"paired:{ten}")


def test_a_picture_that_cannot_be_read_is_not_the_failure_of_a_stage(bench: Any, ten: Path) -> None:
    stage, sample, settings = prefix(bench, "blur", ten)
    (ten / "rainy" / f"{sample.image}.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=rf"{sample.image}\.png"):
        OnDemand(settings, print).output(stage, sample)
    assert not failures(bench)
    other = replace(sample, rainy=sample.clear)
    assert OnDemand(settings, print).output(stage, other).shape == (24, 32, 3)


def test_noise_in_validation_is_that_of_a_run_whatever_the_picture_is_called(bench: Any, fakes: Any) -> None:
    spec, pixels = bench.registry.method("noisy"), np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    restore = _restorer(fakes.Noisy(None), spec, torch.device("cpu"), None, channels_last=False)
    named, renamed = (SimpleNamespace(image=name, rainy=SimpleNamespace(load=lambda: pixels)) for name in ("a", "b"))
    assert np.array_equal(restore(named), restore(renamed))  # type: ignore[arg-type]
    runner = DeviceRunner(fakes.Noisy(None), spec, torch.device("cpu"), precision="fp32", seed=0)
    assert np.array_equal(restore(named), runner.restore([noise_name(pixels)], [pixels], None)[0].pixels)  # type: ignore[arg-type]
