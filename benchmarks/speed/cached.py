"""The wall time of a repeated ``run`` with everything in the cache: 200 pictures x 3 methods x 3 intensities.

    python benchmarks/speed/cached.py PHOTO [...] [--images 200] [--size 96x64] [--repeats 5] [--out DIR]

Clear pictures are cut from the photos; rain is drawn by the run. The first run fills the cache,
the others find it full.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from measure import report, spread
from overhead import cut, read

METHODS = "unet,unet+diffusion,restormer"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--size", default="96x64")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "photos").mkdir()
        rng = np.random.default_rng(0)
        loaded = [read(path) for path in arguments.photos]
        for number in range(arguments.images):
            clear = cut(loaded[number % len(loaded)], rng, width, height)
            cv2.imwrite(str(root / "photos" / f"p{number:05d}.png"), clear[..., ::-1])
        command = [sys.executable, "-m", "drivederain.cli.main", "run", "--methods", METHODS]
        command += ["--data", f"synthetic:{root / 'photos'}", "--out", str(root / "run")]
        command += ["--cache", str(root / "cache"), "--no-train"]
        seconds, cpu = [], []
        for _ in range(arguments.repeats + 1):
            began, used = time.perf_counter(), os.times()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - began)
            now = os.times()
            cpu.append(now.children_user + now.children_system - used.children_user - used.children_system)
            print(f"{seconds[-1]:.2f} s wall, {cpu[-1]:.2f} s CPU", file=sys.stderr)
        record = json.loads((root / "run" / "run.json").read_text())
        if any(method["restored_now"] for method in record["methods"]):
            raise SystemExit("the last run restored something")
        row = {
            "what": f"{arguments.images} pictures x 3 intensities x {METHODS}, everything cached",
            "outputs": sum(method["images"] for method in record["methods"]),
            "first run s": f"{seconds[0]:.0f}",
            "repeated run s": spread(seconds[1:]),
            "CPU s": spread(cpu[1:]),
            "target s": 5,
        }
    report("cached", [row], arguments.out)


if __name__ == "__main__":
    main()
