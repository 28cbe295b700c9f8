"""``plugin check`` on methods that are good but for one thing: it finds that one, and says what it means."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PLUGIN = "drivederain-plugin-misbehaves"
QUICK = {
    "raises-at-load": ("load", "FileNotFoundError: no licence file. It means: it has no row."),
    "exits": ("odd sizes", "the process ended (exit status 7). It means: it fails on most photographs."),
}
SLOW = {
    "raises-midway": ("odd sizes", "ZeroDivisionError: on the third picture"),
    "returns-nan": ("odd sizes", "returned NaN or infinite values"),
    "wrong-shape": ("odd sizes", "returned the shape (1, 3, 37, 27) for an input of (1, 3, 37, 53)"),
    "hangs": ("odd sizes", "it did not end within 5 s"),
    "grows": ("odd sizes", "it holds more than 1.5 GiB"),
    "writes-into-input": ("input untouched", "restore() writes into its input"),
    "keeps-parameters": ("memory freed", "2 of 2 parameters are still there after close()"),
    "unseeded": ("seed", "the same seed gives other pictures"),
    "of-255": ("range", "where [0, 1] is wanted"),
    "looks-at-its-batch": ("batches", "with those beside it in a batch"),
    "forgets-weights": ("saved and loaded", "it makes another picture"),
    "sees-the-whole": ("tiles against the whole", "pixels change the picture by"),
}

Check = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def check(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Check:
    """``plugin check`` in a fresh process, with the plugin installed in a folder on its path."""
    # Built from a copy: building writes into the source folder.
    sources, site = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("site")
    shutil.copytree(repository / "tests" / "plugins" / PLUGIN, sources / PLUGIN)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), f"./{PLUGIN}"], cwd=sources, check=True, timeout=280)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}

    def start(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "drivederain.cli.main", "plugin", "check", *arguments]
        return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, timeout=1200)

    return start


def failures(process: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [each for each in json.loads(process.stdout) if each["status"] == "failed"]


@pytest.mark.parametrize("method", QUICK)
def test_what_a_method_does_wrong_is_found(check: Check, method: str) -> None:
    name, words = QUICK[method]
    process = check(method, "--json", "--timeout", "60")
    assert process.returncode == 1, process.stderr
    found = next(each for each in failures(process) if each["check"] == name)
    assert words in found["words"]


@pytest.mark.slow
@pytest.mark.parametrize("method", SLOW)
def test_each_other_thing_is_found_too(check: Check, method: str) -> None:
    name, words = SLOW[method]
    limits = ("--timeout", "5") if method == "hangs" else ("--timeout", "60", "--memory-limit", "1.5GiB")
    process = check(method, "--json", *limits)
    assert process.returncode == 1, process.stderr
    found = failures(process)
    assert words in next(each for each in found if each["check"] == name)["words"]
    if method in ("writes-into-input", "keeps-parameters", "unseeded", "of-255", "forgets-weights"):
        # These break nothing else: a check that fails for another's reason would mislead.
        others = {"saved and loaded", "batches", "tiles against the whole", "device"}
        assert {each["check"] for each in found} <= {name, *others}


@pytest.mark.slow
def test_a_plugin_is_checked_by_its_name(check: Check) -> None:
    process = check("misbehaves", "--json", "--timeout", "5", "--memory-limit", "1.5GiB")
    methods = {each["method"] for each in json.loads(process.stdout)}
    assert {"raises-at-load", "sees-the-whole"} <= methods and len(methods) == 14
