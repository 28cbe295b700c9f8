"""``show``: the pictures and figures of a training and of data, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivederain.cli.console import WIDE, console
from drivederain.data.sample import DataContext
from drivederain.data.synthetic import Synthetic
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import EpochRecord, Scores, as_csv
from drivederain.training.crops import Crops
from drivederain.training.data import TrainingData
from drivederain.training.draws import Draw, Order
from drivederain.training.hyperparameters import Hyperparameters

OPTIONS = {"out", "count", "crop", "size", "seed", "skip-bad", "data-option", "cache", "help"}
CELL = (slice(50, 250), slice(6, 286))
"""Of the first clear picture in samples.png, 40 x 56 enlarged to 200 x 280."""


def picture(path: Path) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a file or a pipe, whatever the tests' own terminal is like: no column of a table is cut off."""
    monkeypatch.setattr(console, "_width", WIDE)


@pytest.fixture
def training(tmp_path: Path) -> TrainingFolder:
    folder = TrainingFolder(tmp_path / "unet")
    history = [
        EpochRecord(
            epoch, 10 * epoch, 60.0 * epoch, 1e-3, {"l1": 0.2, "loss": 0.25}, 12.5, 0.0,
            Scores(0.3, 20 + epoch / 10 if epoch < 12 else 19.0, 0.7),
        )
        for epoch in range(1, 16)
    ]  # fmt: skip
    folder.path.mkdir()
    folder.epochs.write_text(as_csv(history))
    record = {"method": "unet", "trained_on": "synthetic:photos", "budget_words": "20 epochs", "status": "finished"}
    folder.write_record(record | {"stop_reason": "early stopping: no lower validation loss"})
    for file in (folder.sample(5), folder.sample(10), folder.real(10), folder.best):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    return folder


def test_the_options_are_those_documented(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert set(re.findall(r"^  (?:-h, )?--([\w-]+)", command("show", "--help").out, re.MULTILINE)) == OPTIONS


def test_a_training_is_drawn_and_told(command: Any, training: TrainingFolder) -> None:
    ended = command("show", training.path)
    assert ended.status == 0, ended.err
    assert picture(training.curves).shape == (1060, 1200, 3)
    epochs = re.findall(r"^ +(\d+)( \*)? +\d+0 ", ended.out, re.MULTILINE)
    assert epochs == [(str(epoch), " *" if epoch == 11 else "") for epoch in range(6, 16)], "the last ten"
    for words in (
        "best: epoch 11 of 15, PSNR 21.10 dB, SSIM 0.7000",
        "ended: early stopping: no lower validation loss",
        f"weights: {training.best}",
        f"samples: {training.path / 'samples'}, 2 pictures, the last is epoch_0010.png",
        f"real photos: {training.path / 'real'}, 1 pictures, the last is epoch_0010.png",
        f"curves: {training.curves}",
    ):
        assert f"{words}\n" in ended.out


def test_the_curves_reach_to_the_end_of_the_budget_and_go_where_they_are_wanted(
    command: Any, training: TrainingFolder, tmp_path: Path
) -> None:
    assert command("show", training.path, "--out", tmp_path / "other").status == 0
    assert (tmp_path / "other" / "curves.png").is_file() and not training.curves.exists()
    assert command("show", training.path, "--out", tmp_path / "b.svg").status == 0
    svg = (tmp_path / "b.svg").read_text()
    assert "<!-- unet trained on synthetic:photos -->" in svg and "<!-- 20 -->" in svg
    record = training.read_record()
    for budget in ("200 steps or 600 minutes", "10000 steps or 20 epochs"):
        training.write_record(record | {"budget_words": budget})
        assert command("show", training.path, "--out", tmp_path / "c.svg").status == 0
        assert (tmp_path / "c.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_training_that_has_not_ended_says_so(command: Any, training: TrainingFolder) -> None:
    training.epochs.unlink()
    training.write_record({"method": "unet", "status": "running"})
    shown = command("show", training.path).out
    assert "no epoch is over yet\nnot ended: it is running, or it was killed\n" in shown
    assert picture(training.curves).shape == (1060, 1200, 3)
    training.write_record({"method": "unet+diffusion", "status": "interrupted", "stop_reason": "it was interrupted"})
    go_on = f"Go on with: drivederain-bench train unet+diffusion --resume {training.path}"
    assert go_on in command("show", training.path).out


def test_clear_photos_are_shown_with_rain_and_as_crops(
    command: Any, photos: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = command("show", f"synthetic:{photos}", "--crop", 32, "--count", 1)
    assert ended.status == 0, ended.err
    out = Path("show") / "synthetic-photos"
    assert f"samples: {out / 'samples.png'}\n" in ended.out
    assert f"crops of training: {out / 'augmentation.png'} (32 pixels, " in ended.out
    rows = re.findall(r"synthetic:photos +(train|val|test) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +native", ended.out)
    assert [row[0] for row in rows] == ["train", "val", "test"] and all(row[1:] == tuple("31111") for row in rows)
    samples = picture(out / "samples.png")
    assert samples.shape == (50 + 200 + 6, 6 + 5 * (280 + 6), 3), "clear, three intensities and a mask"
    dataset = Synthetic(str(photos), DataContext(cache=cache, limit=1))
    limited = dataset.sample_sets("all")[0].samples[0]
    assert limited.clear is not None
    expected = cv2.resize(limited.clear.load(), (280, 200), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(samples[CELL], expected, "the scene that --limit 1 chooses")
    crops = picture(out / "augmentation.png")
    assert crops.shape == (28 + 2 * 228, 6 + 8 * 206, 3)
    trained = sorted(dataset.sample_sets("train")[0].samples, key=lambda sample: sample.rainy.fingerprint)
    made = Crops(TrainingData.of(trained), Hyperparameters().changed({"crop": 32}, ""), seed=0)
    first = made[Draw(*Order(0, [3]).at(0), 0, 32)]
    for name, top in (("rainy", 50), ("clear", 278)):
        crop = np.rint(255 * first[name].numpy().transpose(1, 2, 0)).astype(np.uint8)
        crop = cv2.resize(crop, (200, 200), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(crops[top : top + 200, 6:206], crop)
    for name, seed in (("a", 0), ("b", 1)):
        assert (
            command("show", f"synthetic:{photos}", "--crop", 32, "--out", tmp_path / name, "--seed", seed).status == 0
        )
    same, other = ((tmp_path / name / "augmentation.png").read_bytes() for name in "ab")
    assert same == (out / "augmentation.png").read_bytes() != other


def test_pairs_that_cannot_be_split_are_shown_whole(
    command: Any, make_pairs: Callable[..., Path], tmp_path: Path
) -> None:
    root, out = make_pairs(tmp_path / "pairs", 1), tmp_path / "out"
    ended = command("show", f"paired:{root}", "--out", out, "--size", "24,32", "--crop", 16)
    assert ended.status == 0, ended.err
    assert re.search(r"paired:pairs +all +1 +1 +0 +0 +1 +native", ended.out)
    assert "note: it is not split: " in ended.out and "of one scene" in ended.out and "anew" not in ended.out
    assert picture(out / "samples.png").shape == (256, 6 + 2 * 286, 3), "clear and rainy, and no empty columns"
    assert (out / "augmentation.png").is_file()


def test_photos_without_truth_have_no_crops(command: Any, photos: Path, tmp_path: Path) -> None:
    ended = command("show", f"real:{photos}", "--out", tmp_path / "out", "--size", 20)
    assert ended.status == 0, ended.err
    assert re.search(r"real:photos +test +3 .* 20 ", ended.out)
    assert "no augmentation.png: there is no clear picture to train on" in ended.out
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["samples.png"]
    assert picture(tmp_path / "out" / "samples.png").shape == (28 + 3 * 228, 6 + 286, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("synthetic:{photos}", "--crop", "8"), "--crop=8: Input should be greater than or equal to 16"),
        (("synthetic:{photos}", "--size", "native,360"), "--size native,360: write native alone, or sides up to 4096"),
        (("synthetic:{photos}", "--size", "9999"), "--size 9999: write native alone, or sides up to 4096"),
        (("synthetic:{photos}", "--size", "12"), "--size 12: write native, or the shorter side in pixels, 16 or more"),
        (("synthetic:{photos}", "--count", "0"), "--count 0: write 1 or more"),
        (("synthetic:{photos}", "--out", "a.png"), "--out a.png: data give several pictures, so give a folder"),
        (
            ("synthetic:{photos}", "--data-option", "synthetc.scene=x"),
            "synthetc.scene: this is about synthetic, not syn",
        ),
        (("{training}", "--size", "360"), "--size is about data, and {training} is a training. Leave it out."),
        (("{training}/training.json",), "{training}/training.json is a file. Give the folder of a training"),
        (
            ("{photos}",),
            "{photos} holds no training (no training.json). If it holds pictures, say which: synthetic:{photos} for",
        ),
        (("sinthetic:x",), "sinthetic:x is neither the folder of a training nor data. Did you mean 'synthetic'?"),
        (("synthetic",), "--data synthetic names no location"),
        (("synthetic:{photos}/nothing",), "{photos}/nothing does not exist"),
    ],
)
def test_what_is_refused(
    command: Any, photos: Path, training: TrainingFolder, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    there = {"{photos}": str(photos), "{training}": str(training.path)}

    def filled(text: str) -> str:
        for name, value in there.items():
            text = text.replace(name, value)
        return text

    ended = command("show", *map(filled, arguments))
    assert ended.status == 2
    assert filled(message) in ended.message
    assert not training.curves.exists()
