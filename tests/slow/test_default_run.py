"""The README's first command, as its user runs it: the embedded default from nothing, and again from the cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

METHODS = "unet,unet+diffusion,restormer"
TWELVE_MINUTES = 720


def run(out: Path, cache: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], float]:
    started = time.monotonic()
    command = [sys.executable, "-m", "drivederain.cli.main", "run", "--methods", METHODS, "--out", str(out), *options]
    environment = os.environ | {"DRIVEDERAIN_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2 * TWELVE_MINUTES)
    return done, time.monotonic() - started


@pytest.mark.slow
@pytest.mark.timeout(3 * TWELVE_MINUTES)
def test_the_default_run_trains_nothing_beats_its_input_and_is_kept(tmp_path: Path) -> None:
    done, seconds = run(tmp_path / "demo", tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    assert "train " not in done.stdout
    assert str(tmp_path / "demo" / "report" / "index.html") in done.stdout
    assert seconds < TWELVE_MINUTES

    results = pd.read_parquet(tmp_path / "demo" / "results.parquet")
    assert set(results["status"]) == {"ok"}
    whole = results[results["region"] == "image"]
    means = whole.groupby(["intensity", "metric", "method"])["value"].mean()
    for intensity in ("medium", "heavy"):
        for method in METHODS.split(","):
            assert means[intensity, "psnr", method] > means[intensity, "psnr", "identity"]
            assert means[intensity, "lpips", method] < means[intensity, "lpips", "identity"]

    again, seconds_again = run(tmp_path / "demo", tmp_path / "cache")
    assert again.returncode == 0, again.stderr
    assert "restore " not in again.stdout and "score " not in again.stdout
    assert seconds_again < 30
    record = json.loads((tmp_path / "demo" / "run.json").read_text())
    assert [method["restored_now"] for method in record["methods"]] == [0, 0, 0, 0]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "demo" / "results.parquet"), results)
