"""Plugins as real distributions: built, installed beside the program, and found (or refused) in a fresh process."""

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

DISTRIBUTIONS = ("median", "import-error", "system-exit", "nonsense", "clash", "half")

READ_REGISTRY = """
import dataclasses, json
from drivederain.registry import Registry
registry = Registry.discover()
print(json.dumps({
    "plugins": {plugin.name: dataclasses.asdict(plugin) for plugin in registry.plugins},
    "methods": {name: registry.owner("method", name) for name in registry.methods},
    "metrics": {name: registry.owner("metric", name) for name in registry.metrics},
}))
"""

RUN_MEDIAN = """
import torch
from drivederain.registry import Registry
registry = Registry.discover()
method = registry.load(registry.method("median-3x3"))(None)
method.load(None, torch.device("cpu"))
rainy = torch.zeros(1, 3, 9, 11)
rainy[:, :, 4, 5] = 1
metric = registry.load(registry.metric("mae"))("rgb")
eight_bit = (rainy * 255).to(torch.uint8)
score = metric.score(eight_bit, torch.zeros_like(eight_bit), None)["image"].item()
print(method.restore(rainy).abs().max().item(), round(score * 99, 6))
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Starts Python with the distributions of ``tests/plugins`` installed in a folder on its path."""
    # Built from a copy: building writes into the source folder.
    sources = tmp_path_factory.mktemp("sources")
    site = tmp_path_factory.mktemp("site")
    folders = [f"./drivederain-plugin-{name}" for name in DISTRIBUTIONS]
    for folder in folders:
        shutil.copytree(repository / "tests" / "plugins" / folder, sources / folder)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), *folders], cwd=sources, check=True, timeout=280)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "COLUMNS": "400"}

    def start(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, timeout=200)

    return start


@pytest.fixture(scope="module")
def found(run: Run) -> dict[str, Any]:
    """The registry of a fresh process, as JSON."""
    process = run("-c", READ_REGISTRY)
    assert process.returncode == 0, process.stderr
    answer: dict[str, Any] = json.loads(process.stdout)
    return answer


def test_good_plugin_is_found_beside_the_built_in_ones(found: dict[str, Any]) -> None:
    plugin = found["plugins"]["drivederain-plugin-median:median"]
    assert (plugin["status"], plugin["reason"], plugin["version"]) == ("ok", "", "0.1.0")
    assert (plugin["methods"], plugin["metrics"]) == (["median-3x3"], ["mae"])
    assert found["methods"]["median-3x3"] == "drivederain-plugin-median"
    assert found["methods"]["unet"] == "drivederain"
    assert found["metrics"]["psnr"] == "drivederain"


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        ("import-error:needs-missing", "No module named 'drivederain_module_that_nobody_has'"),
        ("system-exit:exits", "it tried to end the program (SystemExit: licence server not reached)"),
        ("nonsense:not-specs", "returned 'median' in its list, where MethodSpec is wanted"),
        ("nonsense:raises", "ZeroDivisionError: no metric today"),
        ("nonsense:misspelt", "there is no hook 'drivederain_method'. Did you mean 'drivederain_methods'"),
        ("nonsense:no-module", "No module named 'drivederain_plugin_nonsense.nowhere'"),
        ("clash:better-unet", "its method 'unet' clashes with the one of drivederain"),
        ("half:half", "direction 'sideways' is neither 'higher' nor 'lower'"),
    ],
)
def test_broken_plugin_is_listed_with_its_reason(found: dict[str, Any], plugin: str, reason: str) -> None:
    status = found["plugins"][f"drivederain-plugin-{plugin}"]
    assert status["status"] == "failed"
    assert reason in status["reason"]
    assert status["methods"] == status["metrics"] == []


def test_nothing_of_a_broken_plugin_is_registered(found: dict[str, Any]) -> None:
    owners = {*found["methods"].values(), *found["metrics"].values()}
    assert owners == {"drivederain", "drivederain-plugin-median"}
    assert not {"innocent", "half-good", "half-bad"} & {*found["methods"], *found["metrics"]}


def test_installed_method_and_metric_run(run: Run) -> None:
    process = run("-c", RUN_MEDIAN)
    assert process.returncode == 0, process.stderr
    # A single bright pixel is gone after the median; before it, 255 of 99 pixels' sum is left.
    assert process.stdout.split() == ["0.0", "255.0"]


def test_command_line_lists_good_and_broken_plugins(run: Run) -> None:
    process = run("-m", "drivederain.cli.main", "list", "plugins")
    assert process.returncode == 0, process.stderr
    for name in DISTRIBUTIONS:
        assert f"drivederain-plugin-{name}" in process.stdout
