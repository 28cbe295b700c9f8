"""What the program runs on: versions, hardware, git state, weights, plugins.

Names of people and paths of the machine stay out.

``environment`` is what ``run.json`` records; ``inventory`` is what ``drivederain-bench env`` shows.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

import drivederain
from drivederain.engine.accelerators import accelerators, torch_build
from drivederain.engine.hardware import (
    cgroup_cores,
    cgroup_memory_bytes,
    hardware_name,
    memory_limit_bytes,
    processor_name,
    usable_cores,
)
from drivederain.engine.weights_inventory import cached_weights, shipped_weights

if TYPE_CHECKING:
    import torch

    from drivederain.registry import Registry

PACKAGES = (
    "drivederain", "torch", "torchvision", "lightning", "segmentation-models-pytorch", "diffusers", "peft",
    "spandrel", "spandrel-extra-arches", "lpips", "pytorch-msssim", "numpy", "opencv-python-headless", "pillow",
    "pandas", "pyarrow", "pyiqa",
)  # fmt: skip
"""The figures depend on these."""


def environment(device: torch.device) -> dict[str, Any]:
    """Python, platform, processor, memory, accelerator and the versions of what the figures depend on."""
    import torch

    return {
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "cpu": processor_name(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else "",
        "hardware": hardware_name(device),
        "versions": _versions(),
    }


def inventory(registry: Registry, cache: Path) -> dict[str, Any]:
    """Everything there is, as JSON values; paths under the home folder are written with ``~``.

    Sizes are in bytes. A limit that is not set is ``None``. Works without a torch that can be imported: ``torch`` then
    holds its ``error``, and the weights are not looked at.
    """
    build = torch_build()
    there: dict[str, Any] = {
        "program": {"version": drivederain.__version__, "git": git_state()},
        "python": {"version": platform.python_version(), "implementation": platform.python_implementation()},
        "system": {
            "platform": platform.platform(terse=True),
            "architecture": platform.machine(),
            "processor": processor_name(),
            "cores": os.cpu_count() or 0,
            "usable_cores": usable_cores(),
            "cgroup_cores": cgroup_cores(),
        },
        "memory": {
            "physical": psutil.virtual_memory().total,
            "available": psutil.virtual_memory().available,
            "cgroup_limit": cgroup_memory_bytes(),
            "usable": memory_limit_bytes(),
        },
        "cache": _cache(cache),
        "torch": build,
        "accelerators": [] if "error" in build else accelerators(),
        "packages": _versions(),
        "weights": {
            "shipped": [] if "error" in build else shipped_weights(registry),
            "cached": [] if "error" in build else cached_weights(cache),
        },
        "plugins": [asdict(plugin) for plugin in registry.plugins],
    }
    shown: dict[str, Any] = without_home(there)
    return shown


def git_state() -> dict[str, Any] | None:
    """The commit of the checkout the program runs from, and whether it was changed; ``None`` outside a checkout."""
    folder = Path(drivederain.__file__).resolve().parent
    if not (folder.parent / ".git").exists():
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    return None if commit is None else {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))}


def without_home(value: Any) -> Any:
    """``value`` with the home folder in all its texts written as ``~``, as it often holds a person's name."""
    if isinstance(value, dict):
        return {key: without_home(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_home(each) for each in value]
    if not isinstance(value, str):
        return value
    try:
        home = str(Path.home())
    except RuntimeError:  # a container's user without a home
        return value
    if home == os.sep:
        return value
    return "~" if value == home else value.replace(home + os.sep, "~" + os.sep)


def _cache(folder: Path) -> dict[str, Any]:
    usage = shutil.disk_usage(nearest_folder(folder))
    return {"folder": str(folder.absolute()), "exists": folder.is_dir(), "disk_free": usage.free, "disk": usage.total}


def nearest_folder(path: Path) -> Path:
    """``path`` if it is a folder, else the nearest folder above it: where it would be made."""
    absolute = path.absolute()
    return next(folder for folder in (absolute, *absolute.parents) if folder.is_dir())


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
