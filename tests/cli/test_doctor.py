"""``doctor``: what was found, by feature; the exit status says whether the default run would work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivederain.engine.doctor import examine
from drivederain.engine.doctor.check import Check

WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from drivederain.cli.main import main; main()"
GOOD = Check("weights", "unet compact", "ok", "unet.safetensors, 7.3 MB", needed=True)
NOTE = Check("packages", "extra ray", "missing", "ray is not installed", 'python -m pip install "drivederain[ray]"')
BROKEN = Check("storage", "cache", "broken", "no space left", "Free some.", needed=True)


def found(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    def given(*_: Any) -> Iterator[Check]:
        yield from checks

    monkeypatch.setattr(examine, "examine", given)


def test_here_the_default_run_works(command: Any, cache: Path, tmp_path: Path) -> None:
    ended = command("doctor", "--json", "--out", tmp_path / "runs")
    document = json.loads(ended.out)
    assert ended.status == 0 and document["default_run_works"]
    checks = {(each["feature"], each["name"]): each for each in document["checks"]}
    assert checks["methods", "default run"]["detail"] == "unet, diffusion, restormer"
    assert checks["weights", "unet compact"]["status"] == "ok" and checks["processes", "child"]["status"] == "ok"
    assert not list(cache.iterdir()) and not (tmp_path / "runs").exists()


def test_notes_do_not_fail(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, GOOD, NOTE)
    ended = command("doctor")
    assert ended.status == 0 and "The default run works here." in ended.out
    assert "  missing extra ray (optional): ray is not installed\n" in ended.out
    assert f"{NOTE.remedy}\n" in ended.out, "on one line, to be copied"


def test_what_is_needed_and_broken_fails_with_its_remedy(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, GOOD, NOTE, BROKEN)
    ended = command("doctor")
    assert ended.status == 1 and "The default run would not work: storage: cache" in ended.out
    assert "no space left" in ended.out and "Free some." in ended.out
    ended = command("doctor", "--json")
    assert ended.status == 1 and json.loads(ended.out)["default_run_works"] is False


def test_a_cache_that_cannot_be_made(command: Any, tmp_path: Path) -> None:
    """Where a file is in the way of the folder, a run cannot make it."""
    (tmp_path / "file").touch()
    ended = command("doctor", "--json", "--cache", tmp_path / "file" / "cache")
    checks = {each["name"]: each for each in json.loads(ended.out)["checks"]}
    assert ended.status == 1 and checks["cache"]["status"] == "broken" and "--cache" in checks["cache"]["remedy"]


def test_without_torch_it_fails_and_says_what_to_install(cache: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "doctor"], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 1, done.stderr
    assert "The default run would not work: Python and torch: torch" in done.stdout
    assert 'pip install "torch"' in done.stdout
