"""Made-up small caches, and locks held by another process."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

SPEC = importlib.util.spec_from_file_location("made_up_cache", Path(__file__).with_name("made_up_cache.py"))
assert SPEC is not None and SPEC.loader is not None
made_up_cache = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(made_up_cache)


@pytest.fixture
def made(tmp_path: Path) -> Any:
    (tmp_path / "cache").mkdir()
    return made_up_cache.MadeUpCache(tmp_path / "cache")


HOLD = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""

Held = Callable[[Path], AbstractContextManager[None]]


@pytest.fixture
def held() -> Held:
    """``with held(cell):`` another process holds the cell's lock, as a run does."""

    @contextmanager
    def hold(cell: Path) -> Iterator[None]:
        arguments = [sys.executable, "-c", HOLD, str(cell / "lock")]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdout.readline() == "held\n"
            yield
            process.communicate("")

    return hold
