"""The Python API: what it makes is what the commands make, down to the byte, and it refuses what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import drivederain
from drivederain import DriveDeRainError, derain, open_data, restore, run, train, tune
from drivederain.cli import main as cli

SMALL = {"unet": {"architecture": "custom", "width": 8}}
CROPS = {"crop": 64, "batch_size": 2}
TYPED = (
    "--set", "unet.architecture=custom", "--set", "unet.width=8",
    "--set", "training.crop=64", "--set", "training.batch_size=2",
)  # fmt: skip
HEAVY = ("torch", "cv2", "lightning", "pandas", "pyarrow", "rich", "drivederain_reports")


class Stopped(Exception):
    """Raised instead of the work, with the settings that it was asked for with."""


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """``command("train", "unet", ...)`` as typed after ``drivederain-bench``: what it says of an error."""

    def call(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["drivederain-bench", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as ended:
            assert ended.code in (0, 2, None), capsys.readouterr()
        return capsys.readouterr().err.removeprefix("error: ").strip()

    return call


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training and running stop at once, and tell their settings."""

    def stop(settings: Any, *_: object) -> None:
        raise Stopped(settings)

    monkeypatch.setattr("drivederain.engine.training_run.run.train_method", stop)
    monkeypatch.setattr("drivederain.engine.run.run_benchmark", stop)
    monkeypatch.setattr("drivederain.engine.tuning.run.tune_method", stop)


def settings_of(call: Callable[[], object]) -> tuple[Any, tuple[str, ...]]:
    """The settings apart from the command, and the command."""
    with pytest.raises(Stopped) as stopped:
        call()
    (settings,) = stopped.value.args
    return replace(settings, command=()), settings.command


def photo(number: int, height: int = 64, width: int = 96) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(number).integers(10, 230, (5, 6, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"photo{number}.png"), photo(number))
    return folder


def test_every_parameter_of_train_arrives_as_if_it_was_typed(asked: None, command: Any, tmp_path: Path) -> None:
    given, words = settings_of(
        lambda: train(
            "unet+diffusion", ["scenes:2", f"synthetic:{tmp_path}"], mix=[2, 0.5], val_data="scenes:3", val_limit=4,
            real=tmp_path / "rainy", out=tmp_path / "out", preset="some", joint=True, folds=4,
            options={"unet": {"width": 8, "residual": True}},
            hyperparameters={"losses": {"l1": 1, "ssim": 0.25}, "size": (64, 96), "gradient_clip": None},
            weights={"unet": tmp_path / "a=b.safetensors"}, epochs=3, steps=5, minutes=0.5, seed=7,
            intensities=["heavy", "light"], device="cpu", precision="fp32", devices=2, nodes=3, workers=1,
            validate_every=2, checkpoint_every=0, samples_every=4, real_every=6, save_seconds=1.5, save_steps=9,
            events=False, skip_bad=True, data_options={"synthetic.scene": "stem"}, download=True,
            cache=tmp_path / "cache",
        )
    )  # fmt: skip
    typed, _ = settings_of(
        lambda: command(
            "train", "unet+diffusion", "--data", "scenes:2", "--data", f"synthetic:{tmp_path}", "--mix", "2,0.5",
            "--val-data", "scenes:3", "--val-limit", 4, "--real", tmp_path / "rainy", "--out", tmp_path / "out",
            "--preset", "some", "--joint", "--folds", 4, "--set", "unet.width=8", "--set", "unet.residual=true",
            "--set", 'training.losses={"l1": 1, "ssim": 0.25}', "--set", "training.size=[64, 96]",
            "--set", "training.gradient_clip=null", "--weights", f"unet={tmp_path}/a=b.safetensors", "--epochs", 3,
            "--steps", 5, "--minutes", 0.5, "--seed", 7, "--intensity", "heavy,light", "--device", "cpu",
            "--precision", "fp32", "--devices", 2, "--nodes", 3, "--workers", 1, "--validate-every", 2,
            "--checkpoint-every", 0, "--samples-every", 4, "--real-every", 6, "--save-seconds", 1.5, "--save-steps", 9,
            "--no-events", "--skip-bad", "--data-option", "synthetic.scene=stem", "--download",
            "--cache", tmp_path / "cache",
        )
    )  # fmt: skip
    assert given == typed
    assert settings_of(lambda: command(*words[1:]))[0] == given, "the command in the record asks for the same"
    defaults, words = settings_of(lambda: train("unet", "scenes"))
    assert defaults == settings_of(lambda: command("train", "unet", "--data", "scenes"))[0]
    assert words == ("drivederain-bench", "train", "unet", "--data", "scenes")


def test_every_parameter_of_tune_arrives_as_if_it_was_typed(asked: None, command: Any, tmp_path: Path) -> None:
    def settings(call: Callable[[], object]) -> tuple[Any, tuple[str, ...]]:
        with pytest.raises(Stopped) as stopped:
            call()
        (found,) = stopped.value.args
        return replace(found, base=replace(found.base, command=())), found.base.command

    given, words = settings(
        lambda: tune(
            "unet", ["scenes:2"], mix=[1], val_data=["scenes:3"], val_limit=4, val_size=96, real=tmp_path / "rainy",
            out=tmp_path / "out", only=["schedule", "learning_rate"],
            tries={"training.ema": [0, 0.995], "training.size": [64, 96]}, seeds=4, margin=1.5, preset="phase2",
            options={"unet": {"width": 8}}, hyperparameters={"crop": 64}, weights="a.safetensors", epochs=3, seed=7,
            intensities=["heavy"], device="cpu", precision="fp32", workers=1, validate_every=2, retry_failed=True,
            keep_weights=True, skip_bad=True, data_options={"scene": "stem"}, download=True, cache=tmp_path,
        )
    )  # fmt: skip
    typed, _ = settings(
        lambda: command(
            "tune", "unet", "--data", "scenes:2", "--mix", "1", "--val-data", "scenes:3", "--val-limit", 4,
            "--val-size", 96, "--real", tmp_path / "rainy", "--out", tmp_path / "out",
            "--only", "schedule,learning_rate",
            "--try", "training.ema=0,0.995", "--try", "training.size=64,96", "--seeds", 4, "--margin", 1.5,
            "--preset", "phase2", "--set", "unet.width=8", "--set", "training.crop=64",
            "--weights", "unet=a.safetensors", "--epochs", 3, "--seed", 7, "--intensity", "heavy", "--device", "cpu",
            "--precision", "fp32", "--workers", 1, "--validate-every", 2, "--retry-failed", "--keep-weights",
            "--skip-bad", "--data-option", "scene=stem", "--download", "--cache", tmp_path,
        )
    )  # fmt: skip
    assert given == typed
    assert settings(lambda: command(*words[1:]))[0] == given, "the command in the record asks for the same"
    with pytest.raises(DriveDeRainError, match=r"tries: training.ema=0\.9 is no list of values"):
        tune("unet", "scenes", tries={"training.ema": 0.9})  # type: ignore[dict-item]


def test_every_parameter_of_run_arrives_as_if_it_was_typed(asked: None, command: Any, tmp_path: Path) -> None:
    given, words = settings_of(
        lambda: run(
            ["unet", "unet+diffusion"], ["scenes:2", "scenes:3"], out=tmp_path / "out", suite="phase4", device="cpu",
            precision="bf16", size=96, seed=3, samples=4, limit=2, metrics=["psnr", "psnr_y[mprnet]"],
            intensities="light", weights={"unet": "w.safetensors"}, options={"diffusion": {"eta": 0.5}}, train=False,
            train_data="scenes:4", budget="7 steps", overwrite="failed", timeout=None, method_timeout=8,
            memory_limit="4GB", batch=2, tile=128, lower_precision=True, isolate=False,
            skip_bad=True, data_options={"scene": "stem"}, download=True,
            cache=tmp_path,
        )
    )  # fmt: skip
    typed, _ = settings_of(
        lambda: command(
            "run", "--methods", "unet,unet+diffusion", "--data", "scenes:2", "--data", "scenes:3", "--out",
            tmp_path / "out", "--suite", "phase4", "--device", "cpu", "--precision", "bf16", "--size", 96, "--seed", 3,
            "--samples", 4, "--limit", 2, "--metrics", "psnr,psnr_y[mprnet]", "--intensity", "light",
            "--weights", "unet=w.safetensors",
            "--set", "diffusion.eta=0.5", "--no-train", "--train-data", "scenes:4", "--budget", "7 steps",
            "--overwrite", "failed", "--timeout", 0, "--method-timeout", 8, "--memory-limit", "4GB", "--batch", 2,
            "--tile", 128, "--lower-precision", "--no-isolate", "--skip-bad", "--data-option", "scene=stem",
            "--download", "--cache", tmp_path,
        )
    )  # fmt: skip
    assert given == typed
    assert settings_of(lambda: command(*words[1:]))[0] == given
    assert settings_of(run)[0] == settings_of(lambda: command("run"))[0]
    lone = settings_of(lambda: run("unet", "scenes", weights="w.safetensors"))[0]
    assert lone == settings_of(lambda: command("run", "--methods", "unet", "--weights", "unet=w.safetensors"))[0]


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ({"data": ()}, ()),
        ({"steps": 0}, ("--steps", "0")),
        ({"seed": -1}, ("--seed", "-1")),
        ({"intensities": ["lihgt"]}, ("--intensity", "lihgt")),
        ({"mix": [1, -2]}, ("--mix", "1,-2")),
        ({"options": {"unet": {"witdh": 8}}}, ("--set", "unet.witdh=8")),
        ({"hyperparameters": {"crop": "large"}}, ("--set", "training.crop=large")),
        ({"preset": "phase3"}, ("--preset", "phase3")),
        ({"method": "unnet"}, ()),
        ({"data": "pictures/"}, ()),
        ({"resume": "nowhere", "out": None}, ("--resume", "nowhere")),
        ({"resume": "nowhere", "out": "here"}, ("--resume", "nowhere", "--out", "here")),
        ({"device": "gpu"}, ("--device", "gpu")),
    ],
)
def test_what_the_command_refuses_is_refused_with_the_same_words(
    command: Any, given: dict[str, Any], typed: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"method": "unet", "data": "scenes:1x64x96", **given}
    data = ("--data", given["data"]) if given["data"] else ()
    refused = command("train", given["method"], *data, *typed)
    with pytest.raises(DriveDeRainError) as error:
        train(**given)
    assert refused and " ".join(str(error.value).split()) == " ".join(refused.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"options": {"width": 8}}, "options: width=8 is no dict. Write them by method"),
        (
            {"hyperparameters": {"crop": object}},
            "crop=<class 'object'>: give a number, a text, a truth value, or a list",
        ),
        ({"method": "unet+diffusion", "weights": "w.safetensors"}, "say of which method they are"),
    ],
)
def test_what_cannot_be_typed_is_refused_in_words_of_python(given: dict[str, Any], words: str) -> None:
    with pytest.raises(DriveDeRainError) as error:
        train(**{"method": "unet", "data": "scenes:1x64x96", **given})
    assert words in str(error.value)


def test_train_and_run_make_what_the_commands_make(
    command: Any, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, where = "scenes:1x64x96", {"cpu": {"device": "cpu"}, "typed": ("--device", "cpu")}
    outcome = train(
        "unet", data, out=tmp_path / "api" / "u", options=SMALL, hyperparameters=CROPS, steps=2, **where["cpu"]
    )
    assert capsys.readouterr() == ("", "")
    assert outcome.record.steps == 2 and not outcome.record.interrupted and outcome.rainy["psnr"] > 20
    command("train", "unet", "--data", data, "--out", tmp_path / "cli" / "u", *TYPED, "--steps", 2, *where["typed"])
    for path in (outcome.folder.best, outcome.folder.last):
        assert path.read_bytes() == (tmp_path / "cli" / "u" / "checkpoints" / path.name).read_bytes(), path.name

    common = {"metrics": ["psnr", "mse"], "isolate": False, **where["cpu"]}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        folder = run(["unet"], data, out=tmp_path / "api" / "r", weights=outcome.folder.best, **common)
    assert not told and capsys.readouterr() == ("", "")
    command(
        "run", "--methods", "unet", "--data", data, "--out", tmp_path / "cli" / "r", "--metrics", "psnr,mse",
        "--no-isolate", "--weights", f"unet={outcome.folder.best}", "--cache", tmp_path / "other", *where["typed"],
    )  # fmt: skip
    other = tmp_path / "cli" / "r"
    assert folder.results_parquet.read_bytes() == (other / "results.parquet").read_bytes()
    assert folder.about()["exit_status"] == 0 and "unet" in folder.report_html.read_text()
    outputs = sorted(path.relative_to(folder.path) for path in folder.path.rglob("images/**/*.png"))
    # Rainy, clear, mask, identity and unet of a scene at 3 intensities, and all but the mask of its clear input.
    assert len(outputs) == 3 * 5 + 4
    for path in outputs:
        assert (folder.path / path).read_bytes() == (other / path).read_bytes(), path

    samples = open_data(data)
    again = restore(samples, "unet", weights=outcome.folder.best, device="cpu")
    for sample, pixels in zip(samples, again, strict=True):
        stored = cv2.imread(str(folder.output_png(sample.dataset, sample.image, "unet")))
        assert np.array_equal(pixels, stored[..., ::-1]), sample.image


def test_a_training_goes_on_where_it_was_kept(cache: Path, tmp_path: Path) -> None:
    def call(steps: int, **more: Any) -> Any:
        quick = {"device": "cpu", "samples_every": 0, "events": False}
        return train("unet", "scenes:1x64x96", out=tmp_path / "u", steps=steps, **quick, **more)

    class Display:
        def __init__(self) -> None:
            self.steps: list[float] = []
            self.epochs: list[int] = []
            self.step = lambda share, words: self.steps.append(share)
            self.epoch = lambda record, best: self.epochs.append(record.step)
            self.note = self.warn = self.begin = self.advance = self.end = lambda *_: None

    assert call(1, resume=True, options=SMALL, hyperparameters=CROPS).record.steps == 1
    with pytest.raises(DriveDeRainError, match="holds a training already"):
        call(2, options=SMALL, hyperparameters=CROPS)
    display = Display()
    went_on = call(2, resume=True, display=display)
    assert went_on.record.steps == 2 and went_on.folder.path == tmp_path / "u"
    assert display.epochs == [2] and display.steps[-1] == 1.0
    assert went_on.folder.read_record()["method_options"]["width"] == 8, "with the options that it was begun with"
    with pytest.raises(DriveDeRainError, match="its seed was 0 and is now 1"):
        call(3, resume=True, seed=1)
    assert train("unet", resume=tmp_path / "u", steps=2).record.stop_reason == "the budget is used up"


def test_restore_takes_arrays_paths_and_samples(command: Any, cache: Path, photos: Path, tmp_path: Path) -> None:
    file, pixels = photos / "photo0.png", photo(0)[..., ::-1]
    assert np.array_equal(restore(file, "identity"), pixels)
    assert np.array_equal(restore(str(file), "identity"), pixels)
    several = restore([file, pixels, open_data(f"real:{photos}", limit=1)[0]], "identity")
    assert len(several) == 3 and np.array_equal(several[1], pixels) and several[2].shape == (64, 96, 3)
    assert restore([], "identity") == []
    rained = restore(pixels, "unet", device="cpu")
    command("derain", file, tmp_path / "typed.png", "--method", "unet", "--device", "cpu")
    assert np.array_equal(rained, cv2.imread(str(tmp_path / "typed.png"))[..., ::-1])
    assert derain(file, tmp_path / "called.png", method="unet", device="cpu") == [tmp_path / "called.png"]
    assert (tmp_path / "called.png").read_bytes() == (tmp_path / "typed.png").read_bytes()
    derain(file, tmp_path / "tiles.png", method="unet", device="cpu", tile=64)
    tiled = restore(pixels, "unet", device="cpu", tile=64)
    assert np.array_equal(tiled, cv2.imread(str(tmp_path / "tiles.png"))[..., ::-1])
    assert not np.array_equal(tiled, rained), "a tile of 64 pixels does not see all of 64 x 96"
    for wrong, words in (
        (pixels.astype(np.float32), "picture 1 is float32 (64, 96, 3): give an array H x W x 3, RGB, uint8"),
        (pixels[..., 0], "picture 1 is uint8 (64, 96)"),
        ([pixels, 7], "picture 2 is int"),
        (photos / "none.png", "none.png: No such file or directory"),
        (photos, "for folders there is derain"),
    ):
        with pytest.raises(DriveDeRainError) as error:
            restore(wrong, "identity")
        assert words in str(error.value)


def test_what_is_left_out_is_warned_of(photos: Path, tmp_path: Path) -> None:
    (photos / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DriveDeRainError, match=r"bad\.png"):
        derain(photos, tmp_path / "out", method="identity")
    with pytest.warns(UserWarning, match=r"skipped .*bad\.png") as told:
        written = derain(photos, tmp_path / "out", method="identity", skip_bad=True)
    assert [path.name for path in written] == ["photo0.png", "photo1.png", "photo2.png"]
    assert {each.filename for each in told} == {__file__}, "the warning points at the caller"
    with pytest.warns(UserWarning, match=r"left out bad\.png") as told:
        assert len(open_data(f"real:{photos}", skip_bad=True)) == 3
    assert {each.filename for each in told} == {__file__}


def test_open_data_gives_samples_by_split_and_intensity(cache: Path, photos: Path) -> None:
    samples = open_data(f"synthetic:{photos}", intensities=["heavy", "light"], size=48)
    assert [sample.intensity for sample in samples] == ["light", "heavy"] * 3
    assert {sample.rainy.load().shape for sample in samples} == {(48, 72, 3)}
    parts = {
        name: {sample.scene for sample in open_data(f"synthetic:{photos}", split=name)} for name in ("train", "val")
    }
    assert len(parts["train"]) == 1 and not parts["train"] & parts["val"]
    with pytest.raises(DriveDeRainError, match="split trian: write one of all, train, val, test"):
        open_data("scenes", split="trian")  # type: ignore[arg-type]


def test_the_package_offers_them_and_imports_nothing_before() -> None:
    assert drivederain.__all__ == ["DriveDeRainError", "derain", "open_data", "restore", "run", "train", "tune"]
    assert set(drivederain.__all__) <= set(dir(drivederain))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = drivederain.trian  # type: ignore[attr-defined]
    code = "import json, sys, drivederain; before = sorted(sys.modules); from drivederain import *; "
    code += "print(json.dumps([[n for n in before if n.startswith('drivederain.')], sorted(sys.modules)]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    before, after = json.loads(done.stdout)
    assert not before and not {*HEAVY} & {*after}
