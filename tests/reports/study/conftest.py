"""A run with a study, and one whose methods have hostile names."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.results.run_folder import RunFolder
from tests.reports.conftest import FakeRun, Pictures, drawn

HOSTILE_METHODS = ("</script><script>alert(1)</script>", 'x" onload="alert(2)', "\u202eteru\u2066<b>")


def hostile_drawn(name: str, intensity: str) -> Pictures:
    pictures = drawn(name, intensity)
    outputs = (pictures["unet"], pictures["restormer"], pictures["unet+diffusion"])
    return {**pictures, **dict(zip(HOSTILE_METHODS, outputs, strict=True))}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return FakeRun(scenes=4, failing=()).build(tmp_path / "mine")


@pytest.fixture
def hostile_run(tmp_path: Path) -> RunFolder:
    methods = ("identity", *HOSTILE_METHODS)
    return FakeRun(scenes=3, methods=methods, draw=hostile_drawn, failing=(), with_real=False).build(tmp_path / "mine")
