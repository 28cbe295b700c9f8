"""A run with methods that break in every way: each costs its own rows, and the others are complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

PLUGIN = "drivederain-plugin-misbehaves"
LOST = {
    "raises-at-load": ("failed", "no licence file"),
    "raises-midway": ("failed", "on the third picture"),
    "returns-nan": ("failed", "NaN or infinite"),
    "wrong-shape": ("failed", "returned the shape"),
    "exits": ("failed", "exit status 7"),
    "hangs": ("timeout", "5 s"),
    "grows": ("oom", ""),
}
"""Status, and words of the reason."""

Run = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of methods on four pairs, with the plugin installed in a folder on the path: its results."""
    sources, site, work = (tmp_path_factory.mktemp(name) for name in ("sources", "site", "work"))
    shutil.copytree(repository / "tests" / "plugins" / PLUGIN, sources / PLUGIN)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), f"./{PLUGIN}"], cwd=sources, check=True, timeout=280)
    for part in ("rainy", "clear"):
        (work / part).mkdir()
        for number in range(4):
            pixels = np.random.default_rng(number).integers(0, 255, (40, 56, 3), dtype=np.uint8)
            cv2.imwrite(str(work / part / f"{number}.png"), pixels // (2 if part == "rainy" else 1))
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))

    def start(*methods: str) -> pd.DataFrame:
        out = work / methods[-1]
        command = [sys.executable, "-m", "drivederain.cli.main", "run", "--methods", ",".join(methods)]
        command += ["--data", f"paired:{work}", "--metrics", "psnr", "--out", str(out), "--cache", str(work / "cache")]
        command += ["--timeout", "5", "--memory-limit", "1.5GB", "--clear-input", "0"]
        done = subprocess.run(
            command, cwd=work, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=1200
        )
        assert done.returncode == 1, done.stderr[-3000:]
        assert (out / "report" / "index.html").is_file()
        return pd.read_parquet(out / "results.parquet")

    return start


def check(results: pd.DataFrame, methods: tuple[str, ...]) -> None:
    assert (results[results["method"] == "identity"]["status"] == "ok").all()
    for method in methods:
        own = results[results["method"] == method]
        status, words = LOST[method]
        lost = own[own["status"] != "ok"]
        assert len(own) >= 4 and len(lost) >= 1, method
        assert set(lost["status"]) == {status}, (method, set(lost["status"]))
        assert lost["reason"].str.contains(words, regex=False).all(), (method, set(lost["reason"]))


def test_methods_that_break_cost_their_own_rows(run: Run) -> None:
    methods = ("raises-at-load", "returns-nan")
    check(run("identity", *methods), methods)


@pytest.mark.slow
def test_all_that_break_cost_their_own_rows(run: Run) -> None:
    check(run("identity", *LOST), tuple(LOST))
