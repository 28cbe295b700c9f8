"""What ``run.json`` and ``env`` say of the machine."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from drivederain.engine import accelerators as accelerators_module
from drivederain.engine import environment as module
from drivederain.engine.accelerators import nvidia_driver, torch_build
from drivederain.engine.environment import environment, inventory, nearest_folder, without_home
from drivederain.engine.weights_inventory import cached_weights, shipped_weights
from drivederain.registry import Registry
from drivederain.weights import WeightsCache, serialise


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.discover()


def test_what_a_run_records() -> None:
    there = environment(torch.device("cpu"))
    assert there.keys() == {"python", "platform", "cpu", "cores", "memory_gb", "gpu", "hardware", "versions"}
    assert there["gpu"] == "" and there["hardware"].startswith(there["cpu"]) and "thread" in there["hardware"]
    assert there["memory_gb"] > 0 and there["cores"] >= 1
    assert {"drivederain", "torch", "numpy", "lpips"} <= there["versions"].keys()


def test_the_inventory_is_json_without_the_home_folder(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    there = inventory(registry, tmp_path / "cache")
    text = json.dumps(there)
    assert str(tmp_path) not in text
    assert there["cache"]["folder"] == f"~{os.sep}cache" and not there["cache"]["exists"]
    assert there["cache"]["disk_free"] == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
    assert there["torch"]["version"] == torch.__version__ and there["torch"]["threads"] == torch.get_num_threads()
    assert len(there["accelerators"]) == torch.cuda.device_count() or torch.backends.mps.is_available()
    assert {plugin["entry_point"] for plugin in there["plugins"]} >= {"unet", "metrics"}
    assert {weights["method"] for weights in there["weights"]["shipped"]} >= {"unet", "diffusion"}
    assert 0 < there["memory"]["usable"] <= there["memory"]["physical"]


def test_a_torch_that_cannot_be_imported_is_reported(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    there = inventory(registry, tmp_path)
    assert "ModuleNotFoundError" in there["torch"]["error"] or "ImportError" in there["torch"]["error"]
    assert there["accelerators"] == [] and there["weights"] == {"shipped": [], "cached": []}
    assert there["packages"]["drivederain"]


def test_the_home_folder_is_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/somebody"))
    given = {"a": ["/home/somebody/x", "/home/somebody", "no /home/somebody/y here"], "b": 1, "c": "/home/somebodyelse"}
    assert without_home(given) == {"a": ["~/x", "~", "no ~/y here"], "b": 1, "c": "/home/somebodyelse"}
    monkeypatch.setattr(Path, "home", lambda: Path("/"))
    assert without_home("/data/x") == "/data/x"

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert without_home("/data/x") == "/data/x"


def test_the_nearest_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert nearest_folder(tmp_path / "a" / "b") == tmp_path
    assert nearest_folder(tmp_path / "file" / "b") == tmp_path
    assert nearest_folder(tmp_path) == tmp_path


def test_no_git_state_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.drivederain, "__file__", str(tmp_path / "drivederain" / "__init__.py"))
    assert module.git_state() is None


def test_shipped_weights_are_hashed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {each["method"]: each for each in shipped_weights(registry)}
    assert found["unet"]["state"] == "ok" and found["unet"]["bytes"] > 1e6 and found["unet"]["licence"]


def test_weights_in_the_cache(tmp_path: Path) -> None:
    path = WeightsCache(tmp_path).path("unet", "0123456789abcdef")
    path.parent.mkdir(parents=True)
    path.write_bytes(serialise({"weight": torch.ones(1)}, {"budget": "5 steps", "trained_on": "scenes"}))
    path.with_name("ffff.safetensors").write_bytes(b"damaged")
    good, bad = cached_weights(tmp_path)
    assert (good["method"], good["name"], good["state"]) == ("unet", "0123456789ab", "ok")
    assert (good["budget"], good["trained_on"]) == ("5 steps", "scenes")
    assert bad["state"] == "damaged"


def test_the_driver_is_asked_for_or_read_from_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    kernel = tmp_path / "version"
    monkeypatch.setattr(accelerators_module, "DRIVER_FILE", kernel)
    assert nvidia_driver() == ""
    kernel.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n")
    assert nvidia_driver() == "535.104.05"
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 570.86.10\necho 570.86.10\n")
    program.chmod(0o755)
    assert nvidia_driver() == "570.86.10"


def test_why_cuda_is_not_used_is_in_words_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise RuntimeError("The NVIDIA driver on your system\nis too old")

    monkeypatch.setattr(torch.cuda, "init", refuse)
    assert torch_build()["no_cuda"] == "The NVIDIA driver on your system is too old"
