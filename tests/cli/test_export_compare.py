"""``export`` and ``compare`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.reports.conftest import FakeRun


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return FakeRun(scenes=6, images=False, failing=()).build(tmp_path_factory.mktemp("export") / "r").path


@pytest.mark.parametrize("kind", ["csv", "json", "markdown", "latex"])
def test_tables_go_to_the_terminal_or_into_a_file(run: Path, command: Any, tmp_path: Path, kind: str) -> None:
    shown = command("export", run, "--format", kind)
    assert shown.status == 0 and "restormer" in shown.out
    written = command("export", run, "--format", kind, "--out", tmp_path / "file")
    assert written.status == 0 and (tmp_path / "file").read_text(encoding="utf-8").strip() == shown.out.strip()


def test_charts_are_files(run: Path, command: Any, tmp_path: Path) -> None:
    ended = command("export", run, "--format", "svg", "--out", tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert ended.status == 0 and len(names) >= 6 and all(name.endswith(".svg") for name in names)
    assert str(tmp_path / names[0]) in ended.out.replace("\n", "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "parquet"], "--out"),
        (["--format", "markdown", "--what", "images"], "--format csv"),
        (["--format", "png", "--metrics", "psnr"], "leave out"),
        (["--format", "xls"], "csv"),
        (["--metrics", "psnrr"], "Did you mean"),
    ],
)
def test_what_does_not_go_together_is_said(run: Path, command: Any, options: list[str], words: str) -> None:
    ended = command("export", run, *options)
    assert ended.status != 0 and words in ended.err


def test_compare_says_that_nothing_changed(run: Path, command: Any) -> None:
    ended = command("compare", run, run)
    assert ended.status == 0 and "every score of both runs is the same" in ended.out


def test_compare_says_what_changed(run: Path, command: Any, tmp_path: Path) -> None:
    made = FakeRun(scenes=6, images=False, failing=())
    made.gain = {"unet": 5.0}
    other = made.build(tmp_path / "r").path
    ended = command("compare", run, other, "--metrics", "psnr")
    assert ended.status == 0 and "better" in ended.out and "ssim" not in ended.out
    told = json.loads(command("compare", run, other, "--format", "json").out)
    assert not told["identical"] and {change["outcome"] for change in told["changes"]} >= {"same", "better"}
    assert command("compare", run, other, "--metrics", "nonsense").status != 0
