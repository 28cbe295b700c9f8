"""``plugin new``: what it writes installs, is listed, and passes its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivederain.errors import DataError, SpecError
from drivederain.kit.new_plugin import KINDS, new_plugin
from drivederain.results.run_folder import RunFolder

LISTED = {
    "stage": "methods my-derain",
    "refiner": "methods my-derain",
    "dataset": "data sets my-derain",
    "metric": "metrics my-derain",
    "section": "hooks drivederain_report_sections",
}


def run(folder: Path, *arguments: str) -> str:
    """Python with the plugin of ``folder`` installed beside this program."""
    path = os.pathsep.join(filter(None, [str(folder / "site"), os.environ.get("PYTHONPATH")]))
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    return process.stdout


@pytest.mark.parametrize(
    "kind", [pytest.param(each, marks=[] if each == "metric" else pytest.mark.slow) for each in KINDS]
)
def test_it_installs_is_listed_and_passes_its_tests(tmp_path: Path, kind: str) -> None:
    new_plugin("my-derain", kind, tmp_path / "my-derain")
    install = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", "site")
    run(tmp_path, *install, "./my-derain")
    assert f"ok       my-derain (my-derain 0.1.0): {LISTED[kind]}" in run(
        tmp_path, "-m", "drivederain.cli.main", "plugin", "doctor"
    )
    tests = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "my-derain/tests")
    assert "passed" in tests and "failed" not in tests


def test_a_run_after_a_change_of_the_code_has_the_scores_of_the_changed_code(tmp_path: Path) -> None:
    new_plugin("my-derain", "stage", tmp_path / "my-derain")
    install = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", "site")
    run(tmp_path, *install, "./my-derain")

    def score(out: str) -> float:
        command = ("run", "--methods", "my-derain", "--data", "scenes:1x48x64", "--metrics", "mse", "--cache", "cache")
        run(tmp_path, "-m", "drivederain.cli.main", *command, "--out", out)
        results = RunFolder(tmp_path / out).results()
        return float(results[results["method"] == "my-derain"]["value"].mean())

    first = score("first")
    assert score("again") == first
    method = tmp_path / "site" / "my_derain" / "method.py"
    method.write_text(method.read_text() + "\n\nMyDerain.restore = lambda self, rainy: rainy * 0\n")
    assert score("changed") > first


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *(
            (name, "is no usable name")
            for name in ("", "My-Derain", "1st", "a_b", "../x", "rainy", "a b", "my-", "a--b")
        ),
        ("class", "is no usable name"),
        ("drivederain", "there is a package 'drivederain' already"),
        ("unet", "there is a method, data set or metric 'unet' already"),
    ],
)
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        new_plugin(name, "stage", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        new_plugin("my-derain", "stage", tmp_path)
