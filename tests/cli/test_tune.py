"""``tune``: what it is told, what it refuses, and how it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import drivederain.engine.tuning.ledger
import drivederain.engine.tuning.run
from drivederain.engine.tuning.trial import Interrupted

OPTIONS = {
    "data", "mix", "val-data", "val-limit", "val-size", "real", "out", "only", "grid", "try", "seeds", "margin",
    "preset", "set", "weights", "epochs", "steps", "minutes", "seed", "intensity", "device", "precision", "workers",
    "validate-every", "retry-failed", "keep-weights", "skip-bad", "data-option", "download", "cache",
}  # fmt: skip
FLAGS = {"retry-failed", "keep-weights", "skip-bad", "download"}
TINY = (
    "--set", "unet.architecture=custom", "--set", "unet.width=8", "--set", "unet.depth=4", "--set", "training.crop=32",
    "--set", "training.losses=l1:1", "--epochs", "1", "--seeds", "2", "--device", "cpu", "--workers", "0",
)  # fmt: skip


def test_help_is_a_line_an_option_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['drivederain-bench', 'tune', '--help']\n"
        "from drivederain.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print('\\nMODULES', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    environment = {**os.environ, "COLUMNS": "120", "TERMINAL_WIDTH": "120"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    text, _, modules = done.stdout.rpartition("\nMODULES ")
    assert not {"torch", "optuna", "pandas", "numpy", "matplotlib", "lightning", "rich"} & set(modules.split())
    lines = [line for line in text.split("Options:\n")[1].splitlines() if line.strip() and "--help" not in line]
    assert {line.split()[0].removeprefix("--") for line in lines} == OPTIONS
    for line in lines:
        assert line.split()[0].removeprefix("--") in FLAGS or "[default: " in line or "[required]" in line, line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("tune unet", ("--data",)),
        ("tune unett --data paired:pairs", ("'unett'", "Did you mean 'unet'?")),
        ("tune diffusion --data paired:pairs", ("'diffusion' is a refiner",)),
        ("tune unet --data paired:pairs --seeds 1", ("--seeds 1", "2 or more")),
        ("tune unet --data paired:pairs --seed -1", ("--seed -1", "0 or more")),
        ("tune unet --data paired:pairs --margin -1", ("--margin -1", "0 or more")),
        ("tune unet --data paired:pairs --margin nan", ("--margin nan", "0 or more")),
        ("tune unet --data paired:pairs --epochs 0", ("positive number",)),
        ("tune unet --data paired:pairs --val-size 8", ("--val-size 8", "16 or more")),
        ("tune unet --data paired:pairs --only depht", ("--only depht", "Did you mean 'depth'?", "learning_rate")),
        ("tune unet --data paired:pairs --grid none.toml", ("--grid none.toml cannot be read",)),
        ("tune unet --data paired:pairs --try depth", ("--try depth", "NAME=VALUE,VALUE")),
        ("tune unet --data paired:pairs --try unet.depth=9", ("variable depth, depth=9", "less than or equal to 5")),
        ("tune unet --data paired:pairs --try training.crp=9", ("no such hyperparameter", "Did you mean 'crop'?")),
        ("tune unet --data paired:pairs --preset phase3", ("--preset phase3", "Did you mean 'phase2'?")),
        ("tune unet --data paired:pairs --set unet.dpth=4", ("no such option", "Did you mean 'depth'")),
        ("tune identity --data paired:pairs --try training.crop=64", ("identity cannot be tuned",)),
        ("tune restormer --data paired:pairs", ("restormer brings no variables to tune", "--try")),
        ("tune unet --data paired:nothing", ("nothing",)),
    ],
)
def test_bad_inputs_are_named_and_leave_nothing(
    command: Any, pairs: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, says: tuple[str, ...]
) -> None:
    monkeypatch.chdir(pairs.parent)
    ended = command(*arguments.split(), "--cache", "cache")
    assert ended.status == 2, ended
    for words in says:
        assert words in ended.message
    assert "Traceback" not in ended.err and len(ended.message) < 900
    assert not list(Path("runs").rglob("*.json")) and not list(Path("runs").rglob("trials"))


def test_without_optuna_it_says_what_to_install(
    command: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drivederain.engine.tuning.ledger, "missing_modules", lambda modules: tuple(modules))
    ended = command("tune", "unet", "--data", f"paired:{pairs}", "--out", tmp_path / "study")
    assert ended.status == 2 and 'python -m pip install "drivederain[tune]"' in ended.message


@pytest.mark.parametrize(
    ("stop", "status"),
    [(KeyboardInterrupt(), 130), (Interrupted(signal.SIGINT), 130), (Interrupted(signal.SIGTERM), 143)],
    ids=["between trainings", "in one", "SIGTERM"],
)
def test_what_was_typed_is_what_is_tuned_and_ctrl_c_says_how_to_go_on(
    command: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException, status: int
) -> None:
    asked = []

    def stopped(settings: Any, registry: Any, display: Any) -> None:
        asked.append(settings)
        raise stop

    monkeypatch.setattr(drivederain.engine.tuning.run, "tune_method", stopped)
    typed = (
        "tune", "unet", "--data", f"paired:{pairs}", "--preset", "phase2", "--only", "learning_rate,depth",
        "--try", "training.ema=0,0.9", "--val-size", "native", "--seeds", "4", "--seed", "7", "--margin", "1.5",
        "--set", "unet.encoder=resnet18", "--set", "training.crop=64", "--cache", tmp_path,
    )  # fmt: skip
    ended = command(*typed)
    assert ended.status == status
    assert "stopped: what is done is kept. Go on with: drivederain-bench tune unet --data paired:" in ended.message
    (settings,) = asked
    assert [variable.name for variable in settings.variables] == ["learning_rate", "depth", "depth", "ema"]
    assert (settings.seeds, settings.all_seeds, settings.margin) == (4, (7, 8, 9, 10), 1.5)
    base = settings.base
    assert base.options == {"unet": {"encoder": "resnet18", "training.crop": "64"}}
    assert (str(base.budget), base.val_size, base.out, base.preset) == (
        "25 epochs",
        "native",
        Path("runs/tune-unet"),
        "phase2",
    )


def test_a_study_is_shown_and_goes_on(
    command: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = ("tune", "unet", "--data", f"paired:{pairs}", "--val-data", f"paired:{pairs}", *TINY, "--cache", "cache")
    ended = command(*typed, "--try", "training.learning_rate=0.05", "--try", "training.losses.ms_ssim=1")
    assert ended.status == 0, ended
    for words in (
        "baseline, seed 1: ",
        "learning_rate=0.05, seed 0: ",
        "losses.ms_ssim=1.0, seed 0: failed: the loss term ms_ssim needs crops of at least 161 x 161",
        "losses_ms_ssim: nothing is better by more than",
        f"chart: {Path('runs') / 'tune-unet' / 'chart.png'}",
        "train with it: drivederain-bench train unet --data paired:",
    ):
        assert words in ended.out
    assert "(from before)" not in ended.out
    best = tomllib.loads(Path("runs/tune-unet/best.toml").read_text())
    assert best["options"] == {"architecture": "custom", "width": 8, "depth": 4}
    again = command(*typed, "--try", "training.learning_rate=0.05", "--try", "training.losses.ms_ssim=1")
    # Without the lines that a slow machine has time to print on the way.
    trials = [line for line in ended.out.splitlines() if ", seed " in line and ": step " not in line]
    assert again.status == 0 and again.out.count("(from before)") == len(trials) > 3
    other = command(*typed, "--try", "training.learning_rate=0.05", "--epochs", "2")
    assert other.status == 2 and "budget was {'epochs': 1} and is {'epochs': 2}" in other.message
