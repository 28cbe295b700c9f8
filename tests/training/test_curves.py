"""The picture of a training's curves, for every kind of history."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

from drivederain.results.training_history import EpochRecord, Scores
from drivederain.training.curves import PLAN_PSNR, draw_curves

SIZE = (1060, 1200)
PANEL = (slice(166, 480), slice(670, 1186))
"""Of PSNR, without its frame."""


def history(epochs: int, *, validated: bool = True) -> list[EpochRecord]:
    records = []
    for epoch in range(1, epochs + 1):
        loss, psnr = 0.3 / epoch, 18 + 10 * epoch / epochs
        by_intensity = {"light": psnr + 2, "heavy": psnr - 2}
        scores = Scores(1.1 * loss, psnr, 0.8, by_intensity, {"light": 0.9, "heavy": 0.7}) if validated else None
        losses = {"l1": 0.8 * loss, "ssim": 0.2 * loss, "loss": loss}
        records.append(EpochRecord(epoch, 7 * epoch, 3.0 * epoch, 1e-3 / epoch, losses, 20.0, 0.1, scores))
    return records


def not_finite() -> list[EpochRecord]:
    records = history(6)
    scores = records[3].scores
    assert scores is not None
    records[3] = replace(records[3], scores=replace(scores, psnr=math.nan, loss=math.inf))
    records[4] = replace(records[4], losses={"l1": math.nan, "loss": -math.inf}, learning_rate=math.nan)
    return records


def drawn(path: Path, records: list[EpochRecord], **settings: object) -> np.ndarray:
    draw_curves(records, path, title="unet", **settings)  # type: ignore[arg-type]
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture.shape[:2] == SIZE
    return picture


def words(path: Path, records: list[EpochRecord], **settings: object) -> str:
    """The SVG, in which each text stands in a comment before its outlines."""
    draw_curves(records, path, **{"title": "unet", **settings})  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "records",
    [history(0), history(1), history(1000), history(30, validated=False), not_finite()],
    ids=["none", "one", "thousand", "not validated", "not finite"],
)
def test_every_history_is_drawn_without_a_warning(tmp_path: Path, records: list[EpochRecord]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = drawn(tmp_path / "new" / "curves.png", records, stop_reason="the budget is used up")
    assert picture.min() < 60 and picture.max() == 255


def test_lines_the_plan_and_the_best_epoch_are_named(tmp_path: Path) -> None:
    rainy = Scores(math.nan, 17.25, 0.61)
    svg = words(tmp_path / "a.svg", history(5), stop_reason="early stopping", target_psnr=31.0, rainy=rainy)
    for _, _, phase in PLAN_PSNR:
        assert f"<!-- plan: {phase} -->" in svg
    for text in (
        "l1", "ssim", "training, total", "validation, total", "light", "heavy", "all", "best: epoch 5", "steps",
        "plan's target: 28 dB", "plan's target: 0.85", "own target: 31 dB", "rainy input: 17.25 dB", "epoch",
        "5 epochs, 35 steps, 0.2 minutes of training. Best epoch: 5, with 28.00 dB and SSIM 0.8000.",
        "Ended: early stopping",
    ):  # fmt: skip
        assert f"<!-- {text} -->" in svg, text
    assert "medium" not in svg and "not finite" not in svg


def test_what_is_missing_or_not_finite_is_said(tmp_path: Path) -> None:
    assert "<!-- no epoch is over yet -->" in words(tmp_path / "a.svg", [])
    assert "<!-- nothing was validated -->" in words(tmp_path / "b.svg", history(3, validated=False))
    svg = words(tmp_path / "c.svg", not_finite())
    assert "<!-- not finite -->" in svg and "<!-- best: epoch 6 -->" in svg


def test_a_value_that_is_not_finite_is_a_gap_below_a_cross(tmp_path: Path) -> None:
    panel = drawn(tmp_path / "a.png", not_finite())[PANEL]
    black = panel.max(axis=2) < 70
    epoch = panel.shape[1] / (6 * 1.02)
    assert black[:, int(2 * epoch) : int(3 * epoch)].any(axis=0).all(), "the line of all pictures"
    gap = slice(int(3.1 * epoch), int(4.9 * epoch))
    assert not black[40:, gap].any() and black[:40, gap].any()


def test_the_plans_bands_rise_over_the_thirds_of_the_training(tmp_path: Path) -> None:
    picture = drawn(tmp_path / "a.png", [], epochs=90).astype(int)
    tint = np.rint(255 * 0.86 + 0.14 * np.array([0, 158, 115])).astype(int)
    rows, columns = np.nonzero((np.abs(picture - tint) <= 2).all(axis=2))
    left, right = columns.min(), columns.max() + 1
    assert left > SIZE[1] / 2, "the bands are in the panel of PSNR"
    assert np.diff(np.unique(columns)).max() <= 3, "they follow each other without a gap, but for lines of the grid"
    assert right - left == pytest.approx(PANEL[1].stop - PANEL[1].start, rel=0.03), "up to the last epoch"
    edges = np.linspace(left, right, 4)
    inside = [rows[(columns > edges[third] + 3) & (columns < edges[third + 1] - 3)] for third in range(3)]
    tops, bottoms = [each.min() for each in inside], [each.max() for each in inside]
    assert tops[0] > bottoms[1] >= tops[1] > bottoms[2] - 3, "each band lies above the one before"
    dB = (bottoms[1] - tops[1]) / 3
    assert bottoms[0] - tops[0] == pytest.approx(2 * dB, abs=3) == bottoms[2] - tops[2]


def test_the_axes_reach_to_the_epochs_that_are_planned(tmp_path: Path) -> None:
    assert "<!-- 100 -->" in words(tmp_path / "a.svg", history(10), epochs=100)
    assert "<!-- 100 -->" not in words(tmp_path / "b.svg", history(10))


def test_any_title_is_drawn_as_it_is(tmp_path: Path) -> None:
    svg = words(tmp_path / "a.svg", [], title="cost $5_$ Straße 雨 \x07", stop_reason="no end " * 200)
    assert r"<!-- cost $5_$ Straße \u96e8 \x07 -->" in svg
    assert svg.count("no end no end") and "…" in svg


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_history_gives_the_same_bytes_whatever_the_users_style(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    draw_curves(history(8), first, title="unet")
    with matplotlib.rc_context({"lines.linewidth": 9.0, "axes.facecolor": "red", "svg.fonttype": "none"}):
        before = dict(matplotlib.rcParams)
        draw_curves(history(8), second, title="unet")
        assert dict(matplotlib.rcParams) == before
    assert first.read_bytes() == second.read_bytes()
    assert b"<dc:date>" not in first.read_bytes() and b"Software" not in first.read_bytes()


def test_no_window_system_and_no_torch_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from drivederain.training.curves import draw_curves\n"
        "assert 'matplotlib' not in sys.modules, 'matplotlib is slow to import'\n"
        "draw_curves([], pathlib.Path(sys.argv[1]), title='x')\n"
        "assert not {'matplotlib.pyplot', 'torch'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.png")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
