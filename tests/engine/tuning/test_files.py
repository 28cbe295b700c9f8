"""The table, the chart and the best setting of a study."""

from __future__ import annotations

import csv
import io
import shlex
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivederain.engine.tuning import best, chart, table
from drivederain.engine.tuning.study import Findings
from drivederain.engine.tuning.trial import TrialFailed
from drivederain.specs import VariableSpec

RATE = VariableSpec("learning_rate", tuple({"training.learning_rate": rate} for rate in (1e-3, 2e-3, 5.0)))
SCHEDULE = VariableSpec("schedule", ({"training.schedule": "step", "training.milestones": (8, 13)},))
LOSS = VariableSpec("loss", ({"training.losses.vgg": 0.1},))


@pytest.fixture
def settings(bench: Any) -> Any:
    return bench.settings(
        RATE,
        SCHEDULE,
        LOSS,
        preset="phase2",
        val_data=("paired:my pairs",),
        mix=(2.0, 1.0),
        intensities=("light", "heavy"),
        options={"unet": {"encoder": "resnet18"}, "other": {"option": "1"}},
        weights={"unet": Path("a b.pth")},
        skip_bad=True,
    )


@pytest.fixture
def findings(bench: Any, settings: Any) -> Findings:
    def score(options: Mapping[str, str], seed: int) -> float:
        if options.get("training.learning_rate") == "5.0":
            raise TrialFailed("the loss is $NaN$")
        gains = ("training.learning_rate" in options) * 0.5 + ("training.schedule" in options) * 0.25
        return 26.0 + 0.01 * seed + gains - ("vgg" in options.get("training.losses", "")) * 40

    found: Findings = bench.run(settings, score)
    return found


def test_the_table_has_a_line_a_value(findings: Findings) -> None:
    rows = list(csv.DictReader(io.StringIO(table.as_csv(findings))))
    assert [(row["variable"], row["value"], row["verdict"], row["seeds"]) for row in rows] == [
        ("baseline", "", "baseline", "3"),
        ("learning_rate", "learning_rate=0.001", "base", "3"),
        ("learning_rate", "learning_rate=0.002", "kept", "3"),
        ("learning_rate", "learning_rate=5.0", "failed", "0"),
        ("schedule", "schedule=cosine, milestones=[]", "base", "3"),
        ("schedule", "schedule=step, milestones=8,13", "kept", "3"),
        ("loss", "losses.vgg=0.0", "base", "3"),
        ("loss", "losses.vgg=0.1", "not better", "1"),
    ]
    kept, lost, last = rows[2], rows[3], rows[-1]
    assert [float(kept[name]) for name in ("psnr", "base_psnr", "difference")] == pytest.approx([26.51, 26.01, 0.5])
    assert float(kept["needed"]) == pytest.approx(2 * 0.01 * (2 / 3) ** 0.5)
    assert kept["psnr_by_seed"] == "26.5 26.51 26.52" and float(kept["seconds"]) == 30
    assert kept["trials"].split() == [f"00{number}-learning_rate-0.002-seed{number - 3}" for number in (3, 4, 5)]
    assert (lost["psnr"], lost["difference"], lost["reason"]) == ("", "", "the loss is $NaN$")
    assert float(last["difference"]) == pytest.approx(-40) and float(last["base_psnr"]) == pytest.approx(26.75)


def test_the_best_setting_and_the_command_that_trains_with_it(settings: Any, findings: Findings) -> None:
    read = tomllib.loads(best.as_toml(settings, findings))
    assert read["psnr"] == pytest.approx(26.76) and read["psnr_baseline"] == pytest.approx(26.01)
    assert (read["method"], read["preset"], read["seeds"], read["psnr_rainy"]) == ("unet", "phase2", 3, 20.0)
    assert read["options"] == {"encoder": "resnet18"}
    assert read["training"] == {"learning_rate": 0.002, "schedule": "step", "milestones": [8, 13]}
    assert "# milestones counts epochs" in best.as_toml(settings, findings)
    words = best.command(settings, findings)
    assert shlex.split(read["command"]) == list(words)
    assert words[:3] == ("drivederain-bench", "train", "unet")
    typed = list(zip(words[3::2], words[4::2], strict=False))
    assert typed[:6] == [
        ("--data", "synthetic:photos"),
        ("--mix", "2,1"),
        ("--val-data", "paired:my pairs"),
        ("--preset", "phase2"),
        ("--weights", "unet=a b.pth"),
        ("--intensity", "light,heavy"),
    ]
    assert [text for option, text in pairwise(words) if option == "--set"] == [
        "unet.encoder=resnet18", "training.learning_rate=0.002", "training.schedule=step", "training.milestones=8,13",
        "other.option=1",
    ]  # fmt: skip
    assert "--skip-bad" in words and "--epochs" not in words, "the budget of a short training is not that of a long one"


def test_the_chart_has_a_line_a_value_and_is_the_same_again(settings: Any, findings: Findings, tmp_path: Path) -> None:
    shapes = {}
    for name, shown in (("all", findings), ("baseline", Findings(findings.tried[:1], findings.tried[0], 0.01))):
        for file in (f"{name}.png", f"{name}2.png", f"{name}.svg"):
            chart.draw_chart(shown, tmp_path / file, title=chart.title_of(settings))
        assert (tmp_path / f"{name}.png").read_bytes() == (tmp_path / f"{name}2.png").read_bytes()
        content = np.frombuffer((tmp_path / f"{name}.png").read_bytes(), np.uint8)
        shapes[name] = cv2.imdecode(content, cv2.IMREAD_COLOR).shape
    # Three names of variables and seven values against the least of three lines.
    assert shapes["all"][1] == shapes["baseline"][1] == 1200
    assert shapes["all"][0] - shapes["baseline"][0] == pytest.approx(27 * (10 - 3), abs=1)
