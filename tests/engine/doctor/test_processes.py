from __future__ import annotations

import time
from pathlib import Path

import pytest

from drivederain.engine.doctor.processes import check_child


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable module, empty."""
    path = tmp_path / "imported_by_a_child.py"
    path.touch()
    monkeypatch.syspath_prepend(tmp_path)
    return path


def test_a_child_imports(module: Path) -> None:
    check = check_child(module.stem)
    assert check.status == "ok" and check.needed


def test_a_child_that_cannot_import(module: Path) -> None:
    module.write_text("raise OSError('libtorch.so: failed to map segment')")
    check = check_child(module.stem)
    assert check.fails and "OSError: libtorch.so" in check.detail


def test_a_child_that_is_killed(module: Path) -> None:
    module.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    check = check_child(module.stem)
    assert check.fails and "exit code -9" in check.detail and "memory" in check.remedy


def test_a_child_that_hangs_is_ended(module: Path) -> None:
    module.write_text("import time; time.sleep(60)")
    started = time.perf_counter()
    check = check_child(module.stem, seconds=1)
    assert time.perf_counter() - started < 20
    assert check.fails and "within 1 s" in check.detail
