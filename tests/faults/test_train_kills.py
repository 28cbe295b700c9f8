"""kill -9 of ``train`` at random moments: while it loads, between steps, while it validates, while it writes.

However often it is killed and resumed, it ends with the same bytes. The seeds are the numbers of the tests. Moments are
counted from what it prints, so that they fall into the training on a machine of any speed.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

KILLS = 8
"""Trainings that are killed."""
TIMES = 3
"""Each so often in its epochs, after a kill while it starts."""
EPOCHS = 14
RECIPE = (
    "--set", "unet.architecture=custom", "--set", "unet.width=8", "--set", "unet.dropout=0.2",
    "--set", "training.crop=64", "--set", "training.batch_size=2", "--set", "training.schedule=plateau",
    "--set", "training.plateau_patience=1", "--set", "training.jitter=0.2", "--epochs", str(EPOCHS),
    "--save-steps", "2", "--samples-every", "3", "--checkpoint-every", "4", "--device", "cpu",
)  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five photos, so that an epoch has six steps."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(5):
        coarse = (np.random.default_rng(number).random((6, 8, 3)) * 220 + 10).astype(np.uint8)
        cv2.imwrite(str(folder / f"photo{number}.png"), cv2.resize(coarse, (128, 96)))
    return folder


def start(photos: Path, out: Path, *, resume: bool) -> subprocess.Popen[str]:
    begun = ("--resume", str(out)) if resume else ("--data", f"synthetic:{photos}", "--out", str(out), *RECIPE)
    again = ("--save-steps", "2", "--device", "cpu") if resume else ()
    return subprocess.Popen(
        [sys.executable, "-m", "drivederain.cli.main", "train", "unet", *begun, *again],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def finished(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def files(out: Path) -> dict[str, str]:
    """All weights, the pictures and the scores of every epoch; times differ."""
    kept = [*(out / "checkpoints").glob("*.safetensors"), *(out / "samples").glob("*.png")]
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(kept)}


def read_to_epoch(process: subprocess.Popen[str], epoch: int) -> str:
    """What it says until a line of this epoch, or of a later one."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if (found := re.search(r"epoch +(\d+) \|", line)) and int(found.group(1)) >= epoch:
            return said
    raise AssertionError(f"it ended before epoch {epoch}:\n{said}")


def kill(process: subprocess.Popen[str]) -> None:
    assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    process.stdout.close()  # type: ignore[union-attr]


@dataclass(frozen=True)
class Whole:
    """A training that nothing happened to."""

    files: dict[str, str]
    start: float
    """Seconds to the end of its first epoch."""
    epoch: float
    """Seconds of each other."""


@pytest.fixture(scope="module")
def whole(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    out = tmp_path_factory.mktemp("whole") / "unet"
    begun = time.monotonic()
    process = start(photos, out, resume=False)
    read_to_epoch(process, 1)
    first = time.monotonic()
    read_to_epoch(process, EPOCHS)
    last = time.monotonic()
    finished(process)
    left = files(out)
    assert {"checkpoints/best.safetensors", "checkpoints/last.safetensors", "checkpoints/epoch_0012.safetensors"} <= {
        *left
    }
    return Whole(left, first - begun, (last - first) / (EPOCHS - 1))


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_and_resumed_it_ends_with_the_same_bytes(
    photos: Path, tmp_path: Path, whole: Whole, number: int
) -> None:
    chosen = random.Random(number)
    out = tmp_path / "unet"
    process = start(photos, out, resume=False)
    time.sleep(chosen.uniform(0.0, 1.0) * whole.start)
    kill(process)
    for epoch in sorted(chosen.sample(range(1, EPOCHS - 3), TIMES)):
        process = start(photos, out, resume=(out / "training.json").exists())
        read_to_epoch(process, epoch)
        time.sleep(chosen.uniform(0.0, 1.5) * whole.epoch)
        kill(process)
    finished(start(photos, out, resume=True))
    assert files(out) == whole.files


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal_it_says_how_to_go_on(
    photos: Path, tmp_path: Path, whole: Whole, number: signal.Signals
) -> None:
    out = tmp_path / "unet"
    process = start(photos, out, resume=False)
    said = read_to_epoch(process, 2)
    process.send_signal(number)
    rest, _ = process.communicate(timeout=120)
    assert process.returncode == 128 + number, said + rest
    assert f"Go on with: drivederain-bench train unet --resume {out}" in " ".join(rest.split())
    finished(start(photos, out, resume=True))
    assert files(out) == whole.files
