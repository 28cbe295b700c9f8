"""Peak resident memory of a run at 100, 1,000 and 10,000 pictures: of the run itself and of its workers.

    python benchmarks/speed/memory.py [--counts 100,1000,10000] [--methods identity] [--metrics psnr,ssim] [--out DIR]

The pictures are small (64x48), as memory must not grow with their number whatever their size. Each process is asked for
its own peak (VmHWM) while it runs, so Linux only. That counts pages of libraries that happen to be in memory, which
differ by a hundred megabytes from run to run; ``held`` leaves them out: the largest that was seen, by looking twenty
times a second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import psutil
from measure import report

from drivederain.engine.worker.process import held_bytes

HEIGHT, WIDTH = 48, 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="100,1000,10000")
    parser.add_argument("--methods", default="identity")
    parser.add_argument("--metrics", default="psnr,ssim")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows = []
    for count in map(int, arguments.counts.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            make_pairs(Path(folder) / "pairs", count)
            rows.append({"pictures": count} | watched(Path(folder), arguments.methods, arguments.metrics))
        print(rows[-1], file=sys.stderr)
    plain = arguments.methods == parser.get_default("methods") and arguments.metrics == parser.get_default("metrics")
    report("memory" if plain else "memory_more", rows, arguments.out)


def make_pairs(root: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    for kind in ("clear", "rainy"):
        (root / kind).mkdir(parents=True)
    lines = ["image,intensity"]
    for number in range(count):
        coarse = (rng.random((4, 5, 3)) * 220 + 10).astype(np.uint8)
        clear = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        rainy = np.clip(clear.astype(int) + rng.integers(-20, 21, clear.shape), 0, 255).astype(np.uint8)
        for kind, picture in (("clear", clear), ("rainy", rainy)):
            cv2.imwrite(str(root / kind / f"p{number:05d}.png"), picture)
        lines.append(f"p{number:05d},{('light', 'medium', 'heavy')[number % 3]}")
    (root / "intensity.csv").write_text("\n".join(lines) + "\n")


def watched(folder: Path, methods: str, metrics: str) -> dict[str, object]:
    """Run it, and its peaks by the kind of process, in MB."""
    command = [sys.executable, "-m", "drivederain.cli.main", "run", "--methods", methods, "--metrics", metrics]
    command += ["--data", f"paired:{folder / 'pairs'}", "--out", str(folder / "run"), "--cache", str(folder / "cache")]
    began = time.perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    root = psutil.Process(running.pid)
    peaks: dict[int, int] = {}
    held = 0
    while running.poll() is None:
        try:
            processes = [root, *root.children(recursive=True)]
        except psutil.Error:
            break
        for process in processes:
            peaks[process.pid] = max(peaks.get(process.pid, 0), high_water(process.pid))
        with suppress(psutil.Error):
            held = max(held, held_bytes(root))
        time.sleep(0.05)
    if running.wait():
        raise SystemExit(f"the run failed with exit status {running.returncode}")
    seconds = time.perf_counter() - began
    workers = [peak for pid, peak in peaks.items() if pid != running.pid]
    table = (folder / "run" / "results.parquet").stat().st_size
    return {
        "run MB": round(peaks[running.pid] / 1024),
        "run, held MB": round(held / 2**20),
        "largest worker MB": round(max(workers) / 1024),
        "results.parquet MB": round(table / 2**20, 2),
        "seconds": round(seconds),
    }


def high_water(pid: int) -> int:
    """Kilobytes; 0 where the process has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.split("VmHWM:")[1].split()[0]) if "VmHWM:" in status else 0


if __name__ == "__main__":
    main()
