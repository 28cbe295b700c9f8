"""What the speed benchmarks share: the machine's name, work timed in turns, and a table that can be committed.

Machines are noisy, so what is compared runs in turns in one process, and a ratio is made of two runs next to each
other; its median and its spread (smallest to largest) are reported.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Seconds of one run."""

    wall: float
    cpu: float


def timed(work: Callable[[], object]) -> Timing:
    """Run ``work`` once; CPU seconds are those of all threads of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def in_turns(works: Mapping[str, Callable[[], object]], repeats: int, warm_up: bool = True) -> dict[str, list[Timing]]:
    """Time each work ``repeats`` times, in turns: a b c, a b c, ... The warm-up round is not counted."""
    if warm_up:
        for work in works.values():
            work()
    timings: dict[str, list[Timing]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            timings[name].append(timed(work))
    return timings


def ratios(over: Sequence[Timing], under: Sequence[Timing], clock: str = "wall") -> list[float]:
    """``over`` through ``under`` of each round, by ``wall`` or ``cpu`` time."""
    return [getattr(a, clock) / getattr(b, clock) for a, b in zip(over, under, strict=True)]


def spread(values: Sequence[float], decimals: int = 2) -> str:
    """``median (smallest-largest)``."""
    return f"{statistics.median(values):.{decimals}f} ({min(values):.{decimals}f}-{max(values):.{decimals}f})"


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system and the versions that matter. No host name, no path."""
    found = {}
    for package in ("torch", "numpy", "opencv-python-headless", "lpips", "scikit-image", "pyiqa", "drivederain"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": _gpu(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": found,
    }


def report(name: str, rows: Sequence[Mapping[str, Any]], out: Path | None) -> None:
    """Print the rows as a Markdown table, and write them with the machine and the command to ``out/<name>.json``."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    print("\n| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(row.get(column, "")) for column in columns) + " |")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        command = ["python", f"benchmarks/speed/{Path(sys.argv[0]).name}", *_shown(sys.argv[1:])]
        record = {"name": name, "command": " ".join(command), "machine": machine(), "rows": [dict(row) for row in rows]}
        (out / f"{name}.json").write_text(json.dumps(record, indent=1, default=asdict) + "\n")


def _shown(arguments: Sequence[str]) -> list[str]:
    """Arguments that are paths of this machine are named by their last part; where the table is kept is left out."""
    shown = [Path(argument).name if Path(argument).is_absolute() else argument for argument in arguments]
    if "--out" in shown:
        place = shown.index("--out")
        del shown[place : place + 2]
    return [argument for argument in shown if not argument.startswith("--out=")]


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""
