"""``train`` from the command line: a folder with all that was promised, resumed, refined, refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from drivederain.engine.training_run.data import find_data
from drivederain.engine.training_run.settings import TrainSettings
from drivederain.errors import DataError
from drivederain.registry import Registry
from drivederain.results.training_folder import TrainingFolder
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.saving import Keeping
from drivederain.weights import read_about, read_weights, sha256_of

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
    record = json.loads((folder / "training.json").read_text())
    # What it is held against, and how much of its change is taken: the validation pictures say both.
    assert record["before"] == "unet" and record["estimates"].keys() == record["rainy"].keys()
    headings = ended.out.partition("┏")[2].partition("┡")[0]  # of several lines in a narrow terminal
    assert headings.count("unet") == 2
    assert about["fitted"]["pictures"] == record["validation_samples"]
    fitted = about["fitted"]["options"]
    assert 0 <= fitted["blend"] <= 1 and 0 <= fitted["gate"] <= 0.16 and fitted == record["fitted"]["best"]
    assert fitted.items() <= about["architecture"].items()
    words = f"best.safetensors: blend {fitted['blend']:g}, gate {fitted['gate']:g}, fitted on"
    assert f"{words} {record['validation_samples']} validation pictures" in " ".join(ended.out.split())
    (folder / "training.json").write_text(json.dumps(record | {"identity": record["identity"] | {"before": ["x"]}}))
    ended = command("train", "unet+diffusion", "--resume", folder, "--epochs", 2, "--device", "cpu")
    assert ended.status == 2 and "its list of stages before it was ['x'] and is now" in ended.message, ended
    del record["identity"]["folds"]
    (folder / "training.json").write_text(json.dumps(record))
    old = command("train", "unet+diffusion", "--resume", folder, "--epochs", 2, "--device", "cpu")
    assert old.status == 2 and "trained refiners on kept estimates" in old.message, old
    other = command(
        "train", "unet+diffusion", "--data", f"synthetic:{photos}", "--weights", f"unet={best}",
        "--set", "diffusion.channels=8,16", "--set", "training.crop=32", "--set", "training.batch_size=2",
        "--set", "diffusion.blend=0.5", "--steps", 1, "--out", tmp_path / "other", "--device", "cpu",
    )  # fmt: skip
    about = read_about(tmp_path / "other" / "checkpoints" / "best.safetensors")
    assert about["architecture"]["blend"] == 0.5 and about["fitted"]["options"].keys() == {"gate"}, other


def test_a_stage_is_trained_together_with_its_refiner(
    command: Any, photos: Path, tmp_path: Path, trained: Path
) -> None:
    start = trained / "checkpoints" / "best.safetensors"
    asked = (
        "train", "unet+diffusion", "--joint", "--data", f"synthetic:{photos}", "--weights", f"unet={start}",
        "--set", "diffusion.channels=8,16", "--set", "training.crop=32", "--set", "training.batch_size=2",
        "--set", "training.schedule=constant", "--device", "cpu", "--save-steps", 1,
    )  # fmt: skip
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    ended = command(*asked, "--steps", 3, "--out", whole)
    assert ended.status == 0, ended
    assert command(*asked, "--steps", 2, "--out", parts).status == 0
    assert command("train", "unet+diffusion", "--resume", parts, "--steps", 3, "--device", "cpu").status == 0
    names = ["best.safetensors", "best.unet.safetensors", "last.safetensors", "last.unet.safetensors"]
    assert sorted(path.name for path in (whole / "checkpoints").glob("*.safetensors")) == names
    for name in names[2:]:
        assert (whole / "checkpoints" / name).read_bytes() == (parts / "checkpoints" / name).read_bytes()
    stage, refiner = whole / "checkpoints" / names[1], whole / "checkpoints" / names[0]
    assert str(stage) in ended.out.replace("\n", "")
    before, after = load_file(start), load_file(stage)
    assert any(not torch.equal(value, after[name]) for name, value in before.items()), "the stage was trained too"
    assert read_about(refiner)["behind_sha256"] == sha256_of(stage)
    assert (read_about(stage)["method"], read_about(stage)["behind"]) == ("unet", "")
    used = command(
        "run", "--methods", "unet+diffusion", "--data", f"synthetic:{photos}", "--limit", 1, "--intensity", "light",
        "--metrics", "psnr", "--weights", f"unet={stage}", "--weights", f"diffusion={refiner}",
        "--out", tmp_path / "run", "--device", "cpu", "--no-isolate",
    )  # fmt: skip
    assert used.status == 0 and "were trained behind" not in used.out + used.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("unet",), "--joint: unet has no stage before it. Leave it out, or train a chain."),
        (("unet+diffusion+diffusion",), "--joint: diffusion is in the chain twice"),
        (("identity+diffusion",), "--joint: identity cannot be trained together with other stages"),
        (("unet+diffusion", "--set", "training.compile=true"), "--joint: training.compile is for one network"),
    ],
)
def test_what_cannot_be_trained_together(
    command: Any, photos: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    method, *more = words
    ended = command(
        "train", method, "--joint", "--data", f"synthetic:{photos}", "--steps", 1, "--out", tmp_path / "x",
        "--device", "cpu", *more,
    )  # fmt: skip
    assert ended.status == 2 and says in ended.message, ended


@pytest.mark.parametrize("fresh", [True, False])
def test_a_refiner_learns_from_stages_that_have_not_seen_the_scene(
    command: Any, tmp_path: Path, trained: Path, fresh: bool
) -> None:
    folder = tmp_path / "refiner"
    best = trained / "checkpoints" / "best.safetensors"
    asked = (
        "train", "unet+diffusion", "--data", "scenes:6x64x96", "--weights", f"unet={best}", "--folds", 2,
        "--set", "diffusion.channels=8,16", "--set", "training.crop=32", "--set", "training.batch_size=2",
        "--set", "unet.training.crop=32", "--set", "unet.training.batch_size=2", "--set", "training.schedule=constant",
        "--set", f"training.fresh_rain={str(fresh).lower()}", "--steps", 2, "--device", "cpu",
    )  # fmt: skip
    ended = command(*asked, "--out", folder)
    assert ended.status == 0, ended
    about = read_about(folder / "checkpoints" / "best.safetensors")
    assert about["folds"] == 2 and about["behind_sha256"] == sha256_of(best), "in use it is behind the stage itself"
    seen = [set(read_about(folder / "folds" / str(n) / "checkpoints" / "last.safetensors")["training_pictures"])
            for n in (1, 2)]  # fmt: skip
    assert seen[0] and seen[1] and not seen[0] & seen[1]
    assert seen[0] | seen[1] == set(about["training_pictures"])
    # Folds of something else are not taken for these.
    shutil.move(folder / "checkpoints", tmp_path / "apart")
    other = command(*asked, "--seed", 5, "--out", folder)
    assert other.status == 2 and "its seed was 0 and is now 5" in other.message, other
    shutil.rmtree(tmp_path / "apart")
    # What is done stays: a training that is begun again after its folds goes on with them.
    times = {path: path.stat().st_mtime_ns for path in (folder / "folds").rglob("*.safetensors")}
    assert command(*asked[:-2], "--seed", 0, "--device", "cpu", "--out", folder).status == 0
    shutil.rmtree(folder / "checkpoints")
    assert command("train", "unet+diffusion", "--resume", folder, "--device", "cpu").status == 0
    assert read_about(folder / "checkpoints" / "best.safetensors") == about
    shutil.rmtree(folder / "checkpoints")
    longer = command("train", "unet+diffusion", "--resume", folder, "--steps", 3, "--device", "cpu")
    assert longer.status == 0 and " ".join(longer.out.split()).count("unet without its scenes, 2 steps") == 2
    assert {path: path.stat().st_mtime_ns for path in (folder / "folds").rglob("*.safetensors")} == times


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("unet", "--folds", 2), "--folds 2: unet has no stage before it"),
        (("identity+diffusion", "--folds", 2), "identity must be a single stage that can be trained"),
        (("unet+diffusion", "--folds", 2, "--joint"), "with --joint the stage changes all the time"),
        (("unet+diffusion", "--folds", 1), "--folds 1"),
        (("unet+diffusion", "--folds", 99), "--folds 99: the training data has"),
    ],
)
def test_folds_that_cannot_be(command: Any, photos: Path, tmp_path: Path, words: Any, says: str) -> None:
    method, *more = words
    ended = command(
        "train", method, "--data", f"synthetic:{photos}", "--steps", 1, "--out", tmp_path / "x", "--device", "cpu",
        *more,
    )  # fmt: skip
    assert ended.status == 2 and says in ended.message, ended


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
    del record["identity"]["folds"]
    (trained / "training.json").write_text(json.dumps(record), encoding="utf-8")
    ended = command("train", "unet", "--resume", trained, "--folds", 2, "--device", "cpu")
    assert ended.status == 2 and "its folds was 0 and is now 2" in ended.message, ended
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
