"""Training on two CPU processes gives the losses of one with twice the batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivederain.implementation import missing_modules
from drivederain.registry import Registry
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import EpochRecord, read_history


def train(photos: Path, out: Path, *arguments: str) -> tuple[list[EpochRecord], str]:
    """The history, and what was said. Restormer has no batch statistics, which each device would have of its own."""
    command = [
        sys.executable, "-m", "drivederain.cli.main", "train", "restormer", "--data", f"synthetic:{photos}",
        "--set", "restormer.dim=8", "--set", "restormer.blocks=1,1,1,1", "--set", "restormer.heads=1,1,2,2",
        "--set", "training.crop=32", "--set", "training.epoch_steps=3", "--epochs", "2", "--device", "cpu",
        "--samples-every", "0", "--out", str(out), *arguments,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=280, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return read_history(TrainingFolder(out).epochs), done.stdout


def test_two_processes_give_the_losses_of_one_with_twice_the_batch(photos: Path, tmp_path: Path) -> None:
    if missing_modules(Registry.discover().method("restormer").requires):
        pytest.skip("restormer needs the extra nc")
    two, said = train(photos, tmp_path / "two", "--devices", "2", "--set", "training.batch_size=2")
    one, _ = train(photos, tmp_path / "one", "--set", "training.batch_size=4")
    assert said.count("epoch   2 |") == 1, "only the first process speaks"
    assert [record.step for record in two] == [record.step for record in one] == [3, 6]
    for here, there in zip(one, two, strict=True):
        assert there.losses["loss"] == pytest.approx(here.losses["loss"], rel=1e-3)
        assert here.scores is not None and there.scores is not None
        assert there.scores.loss == pytest.approx(here.scores.loss, rel=1e-3)
        assert there.scores.psnr == pytest.approx(here.scores.psnr, abs=0.02)
    assert one[0].losses["loss"] != pytest.approx(one[1].losses["loss"], rel=1e-3), "a tolerance that tells them apart"
