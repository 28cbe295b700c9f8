"""What ``run.json`` says of how weights were trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from drivederain.engine.stages import ReadyStage
from drivederain.engine.training_records import MOST_BYTES, MOST_EPOCHS, planned_epochs, training_records
from drivederain.registry import Registry
from drivederain.results.run_folder import RunFolder
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import EpochRecord, Scores, as_csv
from drivederain.training.curves import PLAN_PSNR
from drivederain.weights import FoundWeights, given, serialise

TIMES = ("seconds", "images_per_second", "waiting")


def record(number: int, psnr: float | None = None) -> EpochRecord:
    scores = Scores(0.1, psnr, 0.8, {"heavy": psnr - 2}) if psnr is not None else None
    return EpochRecord(number, 10 * number, 1.5 * number, 1e-3, {"loss": 0.5 / number, "l1": 0.3}, 40.0, 0.1, scores)


def test_a_loss_of_its_own_stands_beside_no_other(tmp_path: Path, stage: Any) -> None:
    weighted = {"crop": 16, "losses": {"l1": 1.0, "ssim": 0.2}}
    run = RunFolder(tmp_path / "run")
    for measured, shown in (({"loss": 0.2, "mse": 0.2}, False), ({"loss": 0.2, "l1": 0.2}, True)):
        metadata = about(rows(HISTORY), losses=measured, hyperparameters=weighted)
        (found,) = training_records({"tiny": stage(metadata)}, run, [].append)
        assert ("losses" in {one["name"] for one in found["hyperparameters"]}) is shown, measured


def rows(history: list[EpochRecord]) -> list[dict[str, Any]]:
    """As the metadata of weights have them."""
    return [{name: value for name, value in each.row().items() if name not in TIMES} for each in history]


HISTORY = [record(1, 20.0), record(2, 24.0), record(3, 23.0)]


def about(history: Any, **changes: Any) -> dict[str, Any]:
    training = {"history": history, "steps": 20, "epochs": 2, "budget": "6 epochs", "stop_reason": ""}
    training |= {"samples": 7, "scenes": 3, "losses": {"loss": 0.25}, "hyperparameters": {"crop": 16, "older": [1]}}
    return {"method": "tiny", "trained_on": "some pictures", "training": training | changes}


@pytest.fixture
def stage(registry: Registry) -> Any:
    """A stage of ``tiny`` with weights of these metadata: ``stage(about(...))``."""

    def make(metadata: dict[str, Any], path: Path = Path("weights.safetensors")) -> ReadyStage:
        chain = registry.chain("tiny")
        found = FoundWeights(path, "given", path.name, "ab" * 32, trained_on="some pictures", about=metadata)
        return ReadyStage(chain, chain.last, None, found, None, torch.device("cpu"), "fp32", 0)

    return make


@pytest.fixture
def trained(tmp_path: Path, stage: Any) -> tuple[TrainingFolder, ReadyStage]:
    """A folder of ``train`` and weights of its second epoch, before the third."""
    folder = TrainingFolder(tmp_path / "trained")
    folder.checkpoints.mkdir(parents=True)
    folder.best.write_bytes(serialise({"a": torch.zeros(1)}, about(rows(HISTORY[:2]))))
    folder.epochs.write_text(as_csv(HISTORY))
    end = {"status": "finished", "stop_reason": "early stopping", "steps": 30, "epochs": 3, "seconds": 4.5}
    folder.write_record(end | {"rainy": {"psnr": 22.0, "ssim": 0.7, "loss": None}, "validated_on": "others"})
    weights = given(folder.best)
    return folder, replace(stage(weights.about, folder.best), found=weights)


def picture(path: Path, value: int) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 8, 3), value, np.uint8))
    return path.read_bytes()


def test_a_run_that_trains_says_how_each_file_was_trained_once(bench: Any, tmp_path: Path, make_pairs: Any) -> None:
    outcome = bench("tiny,tiny+tiny-refiner", f"paired:{make_pairs(tmp_path / 'ten', 10)}")
    first, second = outcome.folder.about()["trainings"]
    assert (first["chain"], first["used_in"]) == ("tiny", ["tiny", "tiny+tiny-refiner"])
    assert (second["chain"], second["behind"], second["used_in"]) == (
        "tiny+tiny-refiner", "tiny", ["tiny+tiny-refiner"],
    )  # fmt: skip
    assert first["steps"] == 3 and first["history"][-1]["step"] == 3 and first["stop_reason"] == "the budget is used up"
    assert first["best_epoch"] is None and first["pictures"] == {} and not (outcome.folder.path / "training").exists()
    assert not {*TIMES} & {name for row in first["history"] for name in row}
    crop = next(one for one in first["hyperparameters"] if one["name"] == "crop")
    assert (crop["value"], crop["default"], crop["known"]) == (16, 160, True) and crop["meaning"]
    known = {method["name"]: method["weights"][-1]["sha256"] for method in outcome.folder.about()["methods"][1:]}
    assert [first["sha256"], second["sha256"]] == list(known.values())


def test_what_the_folder_of_the_training_knows_is_added(trained: Any, tmp_path: Path) -> None:
    folder, stage = trained
    picture(folder.sample(5), 1)
    newest, real = picture(folder.sample(10), 2), picture(folder.real(2), 3)
    run, warnings = RunFolder(tmp_path / "run"), list[str]()
    (found,) = training_records({"tiny": stage}, run, warnings.append)
    assert [row["epoch"] for row in found["history"]] == [1, 2, 3]
    assert (found["stop_reason"], found["steps"], found["epochs"], found["seconds"]) == ("early stopping", 30, 3, 4.5)
    assert (found["best_epoch"], found["weights_epoch"], found["planned_epochs"]) == (2, 2, 6)
    assert (found["rainy"]["psnr"], found["validated_on"]) == (22.0, "others")
    assert found["expected_psnr"] == [list(band) for band in PLAN_PSNR]
    older = next(one for one in found["hyperparameters"] if one["name"] == "older")
    assert (older["value"], older["known"]) == ([1], False)
    assert found["pictures"] == {"samples": 10, "real": 2} and not warnings
    assert (run.path / "training/tiny/samples.png").read_bytes() == newest
    assert (run.path / "training/tiny/real.png").read_bytes() == real
    training_records({}, run, warnings.append)
    assert not list((run.path / "training").iterdir()), "what an earlier run left is gone"


def test_pictures_that_cannot_be_shown_are_left_out_and_said(trained: Any, tmp_path: Path) -> None:
    folder, stage = trained
    picture(folder.sample(5), 1)
    folder.sample(6).write_bytes(picture(folder.sample(5), 1)[:-30])
    folder.real(1).parent.mkdir()
    with folder.real(1).open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    warnings = list[str]()
    (found,) = training_records({"tiny": stage}, RunFolder(tmp_path / "run"), warnings.append)
    assert found["pictures"] == {} and not list((tmp_path / "run").rglob("*.png"))
    assert [name in warning for name, warning in zip(("epoch_0006", "epoch_0001"), warnings, strict=True)] == [
        True,
        True,
    ]


@pytest.mark.parametrize("damage", ["record", "table", "other"])
def test_a_folder_that_is_damaged_or_of_another_training_adds_nothing(
    trained: Any, tmp_path: Path, damage: str
) -> None:
    folder, stage = trained
    if damage == "record":
        folder.record.write_text("{")
    else:
        folder.epochs.write_text("epoch\nx\n" if damage == "table" else as_csv([record(1, 20.0), record(2, 25.0)]))
    warnings = list[str]()
    (found,) = training_records({"tiny": stage}, RunFolder(tmp_path / "run"), warnings.append)
    assert [row["epoch"] for row in found["history"]] == [1, 2]
    assert (found["stop_reason"], found["steps"], found["rainy"]) == ("", 20, {})
    assert len(warnings) == (damage != "other")


@pytest.mark.parametrize(
    "history",
    ["x", [], [1], [{}], [{"epoch": 0, "step": 1}], [{"epoch": 10**400, "step": 1}], [{"epoch": 1.5, "step": 1}]],
)
def test_metadata_that_are_no_history_make_no_record(stage: Any, tmp_path: Path, history: Any) -> None:
    assert training_records({"tiny": stage(about(history))}, RunFolder(tmp_path), pytest.fail) == []
    assert training_records({"tiny": stage({"training": [history]})}, RunFolder(tmp_path), pytest.fail) == []


def test_whatever_else_metadata_say_can_be_written_as_json(stage: Any, tmp_path: Path) -> None:
    history = [{"epoch": 1, "step": 2, "psnr": float("nan"), "ssim": float("inf"), "train_loss": 10**400, "note": "x"}]
    odd = about(history, steps="many", seconds=[], losses=3, hyperparameters="none", budget=5, scenes=-1)
    (found,) = training_records({"tiny": stage(odd)}, RunFolder(tmp_path), pytest.fail)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["history"] == [{"epoch": 1, "step": 2, "psnr": None, "ssim": None, "train_loss": None}]
    assert (found["steps"], found["losses"], found["hyperparameters"], found["budget"]) == (None, {}, [], "")


def test_a_long_history_is_thinned_to_epochs_that_were_validated(stage: Any, tmp_path: Path) -> None:
    history = [record(n, 30.0 if n == 777 else 20.0 if n % 3 == 0 else None) for n in range(1, 2001)]
    (found,) = training_records({"tiny": stage(about(rows(history)))}, RunFolder(tmp_path), pytest.fail)
    epochs = [row["epoch"] for row in found["history"]]
    assert 0.9 * MOST_EPOCHS < len(epochs) <= MOST_EPOCHS and found["history_epochs"] == 2000
    assert epochs == sorted(epochs) and {1, 777, 2000} <= {*epochs} and found["best_epoch"] == 777
    assert {epoch for epoch in epochs if epoch % 3} == {1, 2000}
    assert max(np.diff(epochs)) <= 9, "evenly"


@pytest.mark.parametrize(
    ("budget", "epochs"),
    [
        ("8 epochs", 8), ("1 epoch", 1), ("600 steps", 40), ("610 steps", 41), ("100 epochs or 600 steps", 40),
        ("20 minutes", None), ("", None), ("0 epochs", None), ("9999999999 epochs", None),
    ],
)  # fmt: skip
def test_epochs_that_were_planned(budget: str, epochs: int | None) -> None:
    assert planned_epochs(budget, [{"epoch": 2, "step": 30}]) == epochs
