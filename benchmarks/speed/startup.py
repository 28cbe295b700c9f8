"""What it costs to start: commands that must answer at once, and the imports of a run.

    python benchmarks/speed/startup.py [--repeats 15] [--import-repeats 5] [--out FOLDER]

Each is a process of its own, run in turns with ``python -c pass``, which is what Python itself costs here. Wall and CPU
seconds are of the whole process, from the start to its end; CPU seconds are those of user and system.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measure import Timing, report, spread

BARE = "python -c pass"
TARGETS = {"--help": 0.3, "list methods": 0.6}
"""Wall seconds at most."""
COMMANDS = ("--help", "run --help", "list methods", "list plugins", "report --help", "env --json")
IMPORTS = {
    "lpips": "import lpips",
    "lightning": "import lightning",
    "segmentation_models_pytorch": "import segmentation_models_pytorch",
    "diffusers": "from diffusers import UNet2DModel",
    "spandrel_extra_arches": "import spandrel_extra_arches",
    "drivederain.engine.run": "import drivederain.engine.run",
}
"""Each beyond torch, which all of them import."""


def process(command: Sequence[str]) -> Timing:
    """Run ``command`` to its end; it must succeed."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - wall
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[1:])} failed: {done.stderr.strip()[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Timing(seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def in_turns(commands: Mapping[str, Sequence[str]], repeats: int) -> dict[str, list[Timing]]:
    """Each command ``repeats`` times, in turns, after a round that warms the disk's cache and is not counted."""
    for command in commands.values():
        process(command)
    timings: dict[str, list[Timing]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            timings[name].append(process(command))
    return timings


def rows(timings: Mapping[str, Sequence[Timing]], base: str) -> list[dict[str, Any]]:
    """A row a command; ``base`` is what the others stand on."""
    table = []
    for name, times in timings.items():
        beyond = [one.cpu - other.cpu for one, other in zip(times, timings[base], strict=True)]
        target = TARGETS.get(name)
        wall = statistics.median(time.wall for time in times)
        table.append(
            {
                "process": name,
                "wall s": spread([time.wall for time in times]),
                "CPU s": spread([time.cpu for time in times]),
                f"CPU s beyond {base}": spread(beyond) if name != base else "",
                "target s": "" if target is None else f"{target} ({'reached' if wall <= target else 'missed'})",
                "runs": len(times),
            }
        )
    return table


def main() -> None:
    """Print both tables: commands, and imports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=15, help="runs of each command (15)")
    parser.add_argument("--import-repeats", type=int, default=5, help="runs of each import (5)")
    parser.add_argument("--out", type=Path, help="folder for startup-commands.json and startup-imports.json")
    options = parser.parse_args()
    program = Path(sysconfig.get_path("scripts")) / "drivederain-bench"
    if not program.is_file():
        raise SystemExit(f"{program} is not there: install the project into this Python first")
    bare = [sys.executable, "-c", "pass"]
    commands = {BARE: bare} | {words: [str(program), *words.split()] for words in COMMANDS}
    report("startup-commands", rows(in_turns(commands, options.repeats), BARE), options.out)
    imports = {"torch": [sys.executable, "-c", "import torch"]} | {
        name: [sys.executable, "-c", f"import torch; {statement}"] for name, statement in IMPORTS.items()
    }
    print()
    report("startup-imports", rows(in_turns(imports, options.import_repeats), "torch"), options.out)


if __name__ == "__main__":
    main()
