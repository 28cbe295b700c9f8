"""The examples are distributions of their own: they install, are listed, and pass their tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.name for path in (REPOSITORY / "examples").iterdir() if path.is_dir()))
def test_an_example_installs_and_passes_its_tests(name: str, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "examples" / name, tmp_path / name)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path / "site"), os.environ.get("PYTHONPATH")]))
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    run(
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        "site",
        f"./{name}",
    )
    assert f"({name} 0.1.0)" in run("-m", "drivederain.cli.main", "plugin", "doctor")
    assert "passed" in run("-m", "pytest", "-q", "-p", "no:cacheprovider", f"{name}/tests")
