"""``env``: tables for people, one JSON document for bug reports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from drivederain import __version__

WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from drivederain.cli.main import main; main()"


def test_json_is_one_document(command: Any, cache: Path) -> None:
    ended = command("env", "--json")
    there = json.loads(ended.out)
    assert ended.status == 0 and there["program"]["version"] == __version__
    assert there["torch"]["version"] == torch.__version__
    assert Path(there["cache"]["folder"]).name == cache.name


def test_tables_say_the_same(command: Any, cache: Path) -> None:
    shown = command("env")
    assert shown.status == 0
    for word in (f"drivederain {__version__}", torch.__version__, "lightning", "compact", "shipped", "baselines"):
        assert word in shown.out


def test_without_torch_it_says_why(cache: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "env", "--json"], capture_output=True, text=True, check=True, timeout=100
    )
    there = json.loads(done.stdout)
    assert "torch" in there["torch"]["error"] and there["plugins"]
