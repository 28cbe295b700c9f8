"""What a run ran on: versions, hardware, git state. Names of people and paths of the machine stay out."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import drivederain

PACKAGES = (
    "drivederain", "torch", "torchvision", "lightning", "segmentation-models-pytorch", "diffusers", "peft",
    "spandrel", "spandrel-extra-arches", "lpips", "pytorch-msssim", "numpy", "opencv-python-headless", "pillow",
    "pandas", "pyarrow",
)  # fmt: skip


def environment(device: torch.device) -> dict[str, Any]:
    """Python, platform, processor, memory, accelerator and the versions of what the figures depend on."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_gb": _memory_gb(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else "",
        "versions": _versions(),
    }


def git_state() -> dict[str, Any] | None:
    """The commit of the checkout the program runs from, and whether it was changed; ``None`` outside a checkout."""
    folder = Path(drivederain.__file__).resolve().parent
    if not (folder.parent / ".git").exists():
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    return None if commit is None else {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))}


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


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory_gb() -> float:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return 0.0
