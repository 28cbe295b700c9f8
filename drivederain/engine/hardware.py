"""What hardware there is: its name beside timings, and the limits that a container sets. Imports no torch by itself."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def hardware_name(device: torch.device) -> str:
    """One line that names what was timed, as in ``AMD EPYC, 2 threads`` or ``NVIDIA H100 80GB HBM3``."""
    import torch

    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    if device.type == "mps":
        return f"{processor_name()}, MPS"
    threads = torch.get_num_threads()
    return f"{processor_name()}, {threads} thread{'s' if threads != 1 else ''}"


def processor_name() -> str:
    """The processor's name as the system has it, without trade marks; its architecture where there is no name."""
    return " ".join(re.sub(r"\((?:R|TM)\)", "", _raw_processor_name(), flags=re.IGNORECASE).split())


def _raw_processor_name() -> str:
    if sys.platform == "darwin":
        done = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
        return done.stdout.strip() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1] for line in lines if line.startswith("model name")), platform.machine())


def memory_limit_bytes(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int:
    """The least of the physical memory and what the control groups (v1 or v2) of this process allow."""
    return min([psutil.virtual_memory().total, *_memory_limits(cgroups, own)])


def cgroup_memory_bytes(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int | None:
    """The least memory limit of the control groups of this process, if it is below the physical memory."""
    limit = min(_memory_limits(cgroups, own), default=None)
    return limit if limit is not None and limit < psutil.virtual_memory().total else None


def cgroup_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> float | None:
    """How many cores' time the control groups of this process grant; ``None``: as much as there is."""
    return min(_core_limits(cgroups, own), default=None)


def usable_cores() -> int:
    """Cores that this process may run on (its affinity), without regard to control groups."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_limits(cgroups: Path, own: Path) -> list[int]:
    """Limits in bytes. Version 1 writes a number near 2**63 where there is none, version 2 writes ``max``."""
    texts = [_text(folder / "memory.max") for folder in _folders(cgroups, own, "")]
    texts += [_text(folder / "memory.limit_in_bytes") for folder in _folders(cgroups, own, "memory")]
    return [int(text) for text in texts if text.isdigit() and int(text) > 0]


def _core_limits(cgroups: Path, own: Path) -> list[float]:
    pairs = [_text(folder / "cpu.max").split() for folder in _folders(cgroups, own, "")]
    pairs += [
        [_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")]
        for folder in _folders(cgroups, own, "cpu")
    ]
    numbers = [pair for pair in pairs if len(pair) == 2 and all(part.isdigit() for part in pair)]
    return [int(quota) / int(period) for quota, period in numbers if int(quota) and int(period)]


def _folders(cgroups: Path, own: Path, controller: str) -> Iterator[Path]:
    """The control group of this process and all those around it: the tightest of them counts.

    ``controller``: that of version 1, ``""`` for version 2. In a container the path that the kernel names may not be
    visible; the mounted root is then the container's own group.
    """
    for line in _text(own).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller not in controllers.split(","):
            continue
        mount = next((folder for folder in (cgroups / controllers, cgroups / controller) if folder.is_dir()), cgroups)
        inside = Path(path.lstrip("/"))
        for part in (inside, *inside.parents):
            yield mount / part


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
