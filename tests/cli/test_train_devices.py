"""Training on two CPU processes, of one machine or of two, gives the losses of one with twice the batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from drivederain.implementation import missing_modules
from drivederain.registry import Registry
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import EpochRecord, read_history


def start(photos: Path, out: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """``train``. Restormer has no batch statistics, which each device would have of its own."""
    command = [
        sys.executable, "-m", "drivederain.cli.main", "train", "restormer", "--data", f"synthetic:{photos}",
        "--set", "restormer.dim=8", "--set", "restormer.blocks=1,1,1,1", "--set", "restormer.heads=1,1,2,2",
        "--set", "training.crop=32", "--set", "training.epoch_steps=3", "--epochs", "2", "--device", "cpu",
        "--samples-every", "0", "--out", str(out), *arguments,
    ]  # fmt: skip
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )


def said(process: subprocess.Popen[str]) -> str:
    words, _ = process.communicate(timeout=280)
    assert process.returncode == 0, words
    return words


@pytest.fixture(scope="module")
def one(make_photos: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> list[EpochRecord]:
    """The history of one device with a batch of four."""
    if missing_modules(Registry.discover().method("restormer").requires):
        pytest.skip("restormer needs the extra nc")
    folder = tmp_path_factory.mktemp("one")
    out = folder / "restormer"
    said(start(make_photos(folder / "photos"), out, "--set", "training.batch_size=4"))
    history = read_history(TrainingFolder(out).epochs)
    assert history[0].losses["loss"] != pytest.approx(history[1].losses["loss"], rel=1e-3), "a tolerance that tells"
    return history


def check_same(out: Path, one: list[EpochRecord]) -> None:
    history = read_history(TrainingFolder(out).epochs)
    assert [record.step for record in history] == [record.step for record in one] == [3, 6]
    for here, there in zip(history, one, strict=True):
        assert here.losses["loss"] == pytest.approx(there.losses["loss"], rel=1e-3)
        assert here.scores is not None and there.scores is not None
        assert here.scores.loss == pytest.approx(there.scores.loss, rel=1e-3)
        assert here.scores.psnr == pytest.approx(there.scores.psnr, abs=0.02)


def test_two_processes_give_the_losses_of_one_with_twice_the_batch(
    photos: Path, tmp_path: Path, one: list[EpochRecord]
) -> None:
    words = said(start(photos, tmp_path / "two", "--devices", "2", "--set", "training.batch_size=2"))
    assert words.count("epoch   2 |") == 1, "only the first process speaks"
    check_same(tmp_path / "two", one)


def test_so_do_two_machines_on_which_the_same_command_is_given(
    photos: Path, tmp_path: Path, one: list[EpochRecord]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    out = tmp_path / "machines"
    machines = [
        start(photos, out, "--nodes", "2", "--set", "training.batch_size=2", NODE_RANK=str(rank), **address)
        for rank in (0, 1)
    ]
    first, second = (said(machine) for machine in machines)
    assert first.count("epoch   2 |") == 1
    assert "epoch" not in second, "only the first machine speaks"
    check_same(out, one)
