"""``train`` from the command line: a folder with all that was promised, resumed, refined, refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from drivederain.engine.training_run.data import find_data
from drivederain.engine.training_run.settings import TrainSettings
from drivederain.errors import DataError
from drivederain.registry import Registry
from drivederain.results.training_folder import TrainingFolder
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.saving import Keeping
from drivederain.weights import read_about, read_weights

TINY = (
    "--set", "unet.architecture=custom", "--set", "unet.width=8", "--set", "training.crop=32",
    "--set", "training.batch_size=2", "--device", "cpu",
)  # fmt: skip


@pytest.fixture
def trained(command: Any, photos: Path, tmp_path: Path, cache: Path) -> Path:
    """A folder of a training of two epochs on three photos, with real photos beside."""
    folder = tmp_path / "unet"
    data = ("--data", f"synthetic:{photos}", "--real", photos)
    ended = command("train", "unet", *data, *TINY, "--epochs", 2, "--out", folder, "--samples-every", 1)
    assert ended.status == 0, ended
    assert "epoch   2 | step 4 | loss" in ended.out and "ended: the budget is used up (4 steps" in ended.out
    assert "PSNR, dB: rainy" in ended.out and str(folder / "checkpoints" / "best.safetensors") in ended.out
    return folder


def test_the_folder_holds_what_was_promised(trained: Path, command: Any, photos: Path, tmp_path: Path) -> None:
    files = {path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()}
    events = [name for name in files if name.startswith("tensorboard/events.out.tfevents")]
    assert len(events) == 1
    assert files - {*events, ".lock"} == {
        "training.json", "epochs.csv", "curves.png", "samples/epoch_0001.png", "samples/epoch_0002.png",
        "real/epoch_0002.png", "checkpoints/best.safetensors", "checkpoints/last.safetensors", "checkpoints/last.state",
    }  # fmt: skip
    record = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    assert (record["status"], record["steps"], record["epochs"]) == ("finished", 4, 2)
    assert record["hyperparameters"]["crop"] == 32 and record["trained_on"] == "the train part of synthetic:photos"
    assert set(record["rainy"]["psnr_by_intensity"]) == {"light", "medium", "heavy"}
    with (trained / "epochs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"] and all(float(row["psnr"]) > 3 for row in rows)
    about = read_about(trained / "checkpoints" / "best.safetensors")
    assert about["architecture"]["width"] == 8 and len(about["training_pictures"]) == 1
    assert len(about["training"]["history"]) == about["training"]["best_epoch"]
    ended = command(
        "run", "--methods", "unet", "--data", f"synthetic:{photos}", "--metrics", "psnr", "--out", tmp_path / "run",
        "--weights", f"unet={trained / 'checkpoints' / 'best.safetensors'}", "--intensity", "light",
    )  # fmt: skip
    assert ended.status == 0 and "1 pictures of synthetic:photos were in its training set" in ended.out


def test_it_goes_on_with_its_own_options_and_a_larger_budget(trained: Path, command: Any) -> None:
    ended = command("train", "unet", "--resume", trained, "--epochs", 3, "--device", "cpu")
    assert ended.status == 0 and "(6 steps, 3 whole epochs" in ended.out, ended
    again = command("train", "unet", "--resume", trained, "--epochs", 3, "--device", "cpu")
    assert again.status == 0 and "the budget is used up (6 steps" in again.out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--set", "training.crop=64"), "its hyperparameter crop was 32 and is now 64"),
        (("--set", "unet.width=16"), "its option width was 8 and is now 16"),
        (("--set", "unet.encoder_weights=encoder.safetensors"), "its option encoder_weights was imagenet and is now"),
        (("--seed", 1), "its seed was 0 and is now 1"),
        (("--preset", "phase2"), "its preset was none and is now phase2"),
        (("--weights", "unet=other.safetensors"), "its start (--weights) was random and is now other.safetensors"),
        (("--intensity", "heavy"), "its data is not what it was begun with"),
    ],
)
def test_what_it_was_begun_with_cannot_change(trained: Path, command: Any, change: Any, says: str) -> None:
    ended = command("train", "unet", "--resume", trained, *change, "--epochs", 3, "--device", "cpu")
    assert ended.status == 2 and says in ended.message and "another --out" in ended.message


def test_a_training_is_not_overwritten_nor_mistaken(trained: Path, command: Any, photos: Path) -> None:
    ended = command("train", "unet", "--data", f"synthetic:{photos}", *TINY, "--epochs", 2, "--out", trained)
    assert ended.status == 2 and f"{trained} holds a training already" in ended.message
    ended = command("train", "restormer", "--resume", trained)
    assert ended.status == 2 and "unet was trained there, not restormer" in ended.message


def test_the_same_command_gives_the_same_weights(trained: Path, command: Any, photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "unet"
    data = ("--data", f"synthetic:{photos}", "--real", photos)
    assert command("train", "unet", *data, *TINY, "--epochs", 2, "--out", other).status == 0
    for name in ("best.safetensors", "last.safetensors"):
        assert (other / "checkpoints" / name).read_bytes() == (trained / "checkpoints" / name).read_bytes()


def test_a_refiner_is_trained_behind_the_stage_that_there_is(
    command: Any, photos: Path, tmp_path: Path, trained: Path
) -> None:
    folder = tmp_path / "refiner"
    best = trained / "checkpoints" / "best.safetensors"
    ended = command(
        "train", "unet+diffusion", "--data", f"synthetic:{photos}", "--weights", f"unet={best}",
        "--set", "diffusion.channels=8,16", "--set", "training.crop=32", "--set", "training.batch_size=2",
        "--epochs", 1, "--out", folder, "--device", "cpu",
    )  # fmt: skip
    assert ended.status == 0, ended
    about = read_about(folder / "checkpoints" / "best.safetensors")
    assert (about["method"], about["behind"]) == ("diffusion", "unet") and about["behind_sha256"]


def test_it_starts_from_given_weights(trained: Path, command: Any, photos: Path, tmp_path: Path) -> None:
    best = trained / "checkpoints" / "best.safetensors"
    ended = command(
        "train", "unet", "--data", f"synthetic:{photos}", "--weights", f"unet={best}", "--set", "training.crop=32",
        "--set", "training.batch_size=2", "--set", "training.learning_rate=1e-9", "--set", "training.ema=0",
        "--steps", 1, "--out", tmp_path / "on", "--device", "cpu",
    )  # fmt: skip
    assert ended.status == 0, ended
    before, after = (
        read_weights(path).tensors for path in (best, tmp_path / "on" / "checkpoints" / "last.safetensors")
    )
    head = "body.head.weight"
    assert float((before[head] - after[head]).abs().max()) < 1e-6
    shutil.rmtree(trained)
    last = tmp_path / "on" / "checkpoints" / "last.safetensors"
    facts = read_about(last)["facts"]
    ended = command("train", "unet", "--resume", tmp_path / "on", "--steps", 2, "--device", "cpu")
    assert ended.status == 0, "what it started from need not be there to go on"
    assert read_about(last)["steps"] == 2 and read_about(last)["facts"] == facts


def test_a_disk_without_room_is_said_before_training(
    command: Any, photos: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    ended = command("train", "unet", "--data", f"synthetic:{photos}", *TINY, "--epochs", 2, "--out", tmp_path / "full")
    assert ended.status == 2 and "its checkpoints take about" in ended.message and "1 are free" in ended.message
    assert not (tmp_path / "full" / "training.json").exists()


def test_the_disk_must_hold_the_checkpoints_that_stay_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=50 << 20))
    keeping = Keeping(TrainingFolder(tmp_path), lambda record: b"", checkpoint_every=10)
    keeping.check(1 << 20, epochs=29)
    with pytest.raises(DataError, match="take about 52 MiB, and 50 are free"):
        keeping.check(1 << 20, epochs=30)
    keeping.folder.last.write_bytes(bytes(4 << 20))
    keeping.check(1 << 20, epochs=30)


def test_one_training_at_a_time_has_the_folder(trained: Path, command: Any) -> None:
    with FileLock(trained / ".lock"):
        ended = command("train", "unet", "--resume", trained, "--epochs", 3, "--device", "cpu")
    assert ended.status == 2 and f"another training goes on in {trained}" in ended.message


def test_a_default_that_has_changed_since_changes_nothing(trained: Path, command: Any) -> None:
    record = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    assert record["identity"]["hyperparameters"]["jitter"] == 0.15, "the default of today"
    record["identity"]["hyperparameters"]["jitter"] = 0.05
    (trained / "training.json").write_text(json.dumps(record), encoding="utf-8")
    ended = command("train", "unet", "--resume", trained, "--epochs", 3, "--device", "cpu")
    assert ended.status == 0, ended
    record = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    assert record["hyperparameters"]["jitter"] == 0.05 and record["options"]["unet"]["width"] == "8"
    record["identity"]["hyperparameters"]["learning_rate"] = -1
    (trained / "training.json").write_text(json.dumps(record), encoding="utf-8")
    ended = command("train", "unet", "--resume", trained, "--epochs", 4, "--device", "cpu")
    assert ended.status == 2 and "training.json: learning_rate=-1" in ended.message
    record["identity"]["hyperparameters"]["spin"] = 1
    (trained / "training.json").write_text(json.dumps(record), encoding="utf-8")
    ended = command("train", "unet", "--resume", trained, "--epochs", 4, "--device", "cpu")
    assert ended.status == 2 and "begun with the hyperparameter spin, which this version does not have" in ended.message


@pytest.mark.parametrize("status", ["finished", "running", "failed", "interrupted"])
def test_a_training_whose_state_is_lost_keeps_its_weights(
    trained: Path, command: Any, photos: Path, status: str
) -> None:
    (trained / "checkpoints" / "last.state").unlink()
    record = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    (trained / "training.json").write_text(json.dumps(record | {"status": status}), encoding="utf-8")
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    anew = ("--data", f"synthetic:{photos}", *TINY, "--epochs", 2, "--out", trained)
    for typed in (("--resume", trained, "--epochs", 3, "--device", "cpu"), anew):
        ended = command("train", "unet", *typed)
        assert ended.status == 2 and "the state of its training (last.state) is not there" in ended.message
        assert f"--weights unet={trained / 'checkpoints' / 'last.safetensors'}" in ended.message
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_the_encoder_s_file_need_not_be_there_to_go_on(command: Any, photos: Path, tmp_path: Path, cache: Path) -> None:
    import torch
    from safetensors.torch import save_file
    from segmentation_models_pytorch import Unet

    torch.manual_seed(0)
    file = tmp_path / "encoder.safetensors"
    save_file(
        Unet("tu-resnet18", encoder_weights=None, encoder_depth=3, decoder_channels=(8, 8, 8)).encoder.state_dict(),
        file,
    )
    ended = command(
        "train", "unet", "--data", f"synthetic:{photos}", "--set", "unet.encoder=tu-resnet18", "--set", "unet.depth=3",
        "--set", "unet.decoder_channels=8,8,8", "--set", f"unet.encoder_weights={file}", "--set", "training.crop=32",
        "--set", "training.batch_size=1", "--steps", 1, "--out", tmp_path / "on", "--device", "cpu",
    )  # fmt: skip
    assert ended.status == 0, ended
    file.unlink()
    ended = command("train", "unet", "--resume", tmp_path / "on", "--steps", 2, "--device", "cpu")
    assert ended.status == 0 and "(2 steps" in ended.out, ended


@pytest.mark.parametrize(
    ("size", "says"),
    [
        ("batch_size=2", "--set training.batch_size=1 --set training.accumulate=2 (as many crops a step)"),
        ("batch_size=1", "crops of 32 pixels. Train anew with a smaller training.crop"),
        (
            'progressive=[{"until": 0.5, "crop": 32, "batch_size": 2}, {"until": 1, "crop": 64, "batch_size": 1}]',
            "2 crops of 32, 1 crops of 64 pixels, one after the other. Train anew with smaller ones",
        ),
    ],
)
def test_out_of_memory_says_what_to_try(
    command: Any, photos: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, size: str, says: str
) -> None:
    from drivederain.training.module import RestorationModule

    def too_much(*arguments: Any) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(RestorationModule, "training_losses", too_much)
    more = ("--set", f"training.{size}", "--steps", 2, "--out", tmp_path / "on")
    ended = command("train", "unet", "--data", f"synthetic:{photos}", *TINY, *more)
    assert ended.status == 2 and "out of memory, with batches of" in ended.message and says in ended.message


def test_photos_that_train_too_are_known_as_seen(command: Any, photos: Path, tmp_path: Path, cache: Path) -> None:
    seen = []
    for consistency in (0, 0.1):
        out = tmp_path / str(consistency)
        more = ("--real", photos, "--set", f"training.consistency={consistency}", "--steps", 1, "--out", out)
        ended = command("train", "unet", "--data", f"synthetic:{photos}", *TINY, *more)
        assert ended.status == 0, ended
        seen.append(read_about(out / "checkpoints" / "last.safetensors")["training_pictures"])
    assert len(seen[0]) == 1 and len(seen[1]) == 3, "one is trained on; all three photos are in its company"


def test_an_owner_of_a_data_option_that_is_not_there(command: Any, photos: Path, tmp_path: Path, cache: Path) -> None:
    typed = (
        "--data",
        f"synthetic:{photos}",
        "--data-option",
        "syntetic.rain=x",
        "--out",
        tmp_path / "on",
        "--steps",
        1,
    )
    ended = command("train", "unet", *typed)
    assert ended.status == 2 and "there is no data set 'syntetic'. Did you mean 'synthetic'?" in ended.message


def test_the_table_of_steps_goes_on_where_the_state_does(trained: Path, command: Any) -> None:
    steps = trained / "steps.csv"
    ended = command("train", "unet", "--resume", trained, "--epochs", 12, "--device", "cpu")
    assert ended.status == 0, ended
    with steps.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {path.name for path in (trained / "real").iterdir()} == {f"epoch_{number:04d}.png" for number in (2, 10, 12)}
    kept = {path.name for path in (trained / "checkpoints").glob("epoch_*")}
    assert kept == {"epoch_0010.safetensors"}, "every tenth stays, by default"
    events = EventAccumulator(str(trained / "tensorboard")).Reload()
    scalars = set(events.Tags()["scalars"])
    assert {
        "train/l1",
        "train/ssim",
        "train/loss",
        "validation/loss",
        "validation/PSNR, dB",
        "validation/SSIM",
    } <= scalars
    assert [event.step for event in events.Scalars("train/l1")] == [10, 20]
    assert [event.step for event in events.Scalars("validation/SSIM")] == list(range(2, 25, 2))
    assert [row["step"] for row in rows] == ["10", "20"] and all(
        float(row["ssim"]) < float(row["loss"]) for row in rows
    )
    with steps.open("a", encoding="utf-8") as file:
        file.write(steps.read_text(encoding="utf-8").splitlines()[-1].replace("20,", "30,", 1) + "\n40,0.1")
    ended = command("train", "unet", "--resume", trained, "--epochs", 16, "--device", "cpu")
    assert ended.status == 0, ended
    with steps.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["10", "20", "30"], "what was written after the state is taken back"


def test_what_is_kept_and_drawn_how_often_by_default() -> None:
    settings = TrainSettings("unet", ("scenes",), Path("out"), Path("cache"))
    assert (settings.checkpoint_every, settings.samples_every, settings.real_every) == (10, 5, 10)


def test_shares_of_data_sets_reach_the_training(photos: Path, tmp_path: Path, cache: Path) -> None:
    data = (f"synthetic:{photos}", "scenes:2x48x64")
    settings = TrainSettings("unet", data, tmp_path / "on", cache, mix=(3.0, 1.0), val_limit=1)
    found = find_data(settings, Hyperparameters(), Registry.discover())
    assert [part.weight for part in found.data.parts] == [3.0, 1.0]
    contents = {sample.content for sample in found.data.validation}
    assert len(contents) == 1 and len(found.data.validation) == 3, "one picture at three intensities"


def test_what_an_attempt_left_that_had_no_state_yet_does_not_stay(trained: Path, command: Any) -> None:
    for name in ("last.state", "last.safetensors"):
        (trained / "checkpoints" / name).unlink()
    record = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    (trained / "training.json").write_text(json.dumps(record | {"status": "running"}), encoding="utf-8")
    (trained / "samples" / "epoch_0099.png").write_bytes(b"of another attempt")
    (trained / "notes.txt").write_text("the user's own")
    before = (trained / "checkpoints" / "best.safetensors").read_bytes()
    ended = command("train", "unet", "--resume", trained, "--epochs", 2, "--device", "cpu")
    assert ended.status == 0 and "(4 steps, 2 whole epochs" in ended.out, ended
    assert "has no state to go on from: the training begins anew" in ended.out
    assert not (trained / "samples" / "epoch_0099.png").exists() and (trained / "notes.txt").exists()
    assert (trained / "checkpoints" / "best.safetensors").read_bytes() == before, "begun anew, with the same end"
