"""What the engine adds: the wall time of ``run`` after start-up, over the bare forward passes and metric calls.

    python benchmarks/speed/overhead.py PHOTO [...] [--method unet] [--images 200] [--size 640x360]

Pairs are made of the photos (cut and mirrored at many places, so that no two are alike) with the project's own rain,
and written as PNG. Then, in turns and in processes of their own:

- ``bare``: the model is loaded and warm, the pictures are tensors in memory; ``restore`` is called on each, then the
  metrics (psnr, ssim, lpips) on each output, and on each rainy picture, since ``run`` always scores those too;
- ``run``: ``drivederain-bench run`` on an empty cache, once on all pictures and once on one. The difference of the two
  is what the other pictures took after start-up: reading, restoring, storing, scoring, tables, pictures, report.

Where that time went is told by the phases that the run prints with their seconds, again those of all pictures less
those of one; ``the rest`` is what no phase tells of (reading and hashing the files, tables, the report).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from measure import report, spread
from numpy.typing import NDArray

METRICS = "psnr,ssim,lpips"
COLUMNS = {
    "bare forward s": ("forward", 1),
    "bare metrics s": ("metrics", 1),
    "run s": ("all", 1),
    "start-up s (run of 1)": ("one", 1),
    "run after start-up / bare": ("ratio", 2),
    "without bare metrics of the rainy input": ("strict", 2),
}
"""What is told of a round, and with how many decimals."""
PHASE = re.compile(r"^(\w.*) \(\d+\)\n  done in ([\d.]+) s", re.MULTILINE)
"""What a run prints of a phase where its output is no terminal, but for the lines in between."""
BETWEEN = re.compile(r"^(  \d+/\d+ |note: ).*\n", re.MULTILINE)


def main() -> None:
    arguments = parse()
    if arguments.bare:
        print(json.dumps(bare(arguments.bare, arguments.method, arguments.images)))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        width, height = map(int, arguments.size.split("x"))
        make_pairs(arguments.photos, root / "pairs", arguments.images, width, height)
        make_pairs(arguments.photos, root / "one", 1, width, height)
        rows = [measured(arguments, root, number) for number in range(arguments.repeats)]
    rounds: list[dict[str, Any]] = [
        {"round": number} | {name: f"{row[key]:.{digits}f}" for name, (key, digits) in COLUMNS.items()}
        for number, row in enumerate(rows, start=1)
    ]
    together = {name: spread([row[key] for row in rows], digits) for name, (key, digits) in COLUMNS.items()}
    rounds.append({"round": "all"} | together)
    phases = [
        {"phase, s after start-up": phase, "seconds": spread([row["phases"].get(phase, 0.0) for row in rows], 1)}
        for phase in dict.fromkeys(phase for row in rows for phase in row["phases"])
    ]
    print(f"target 1.10, median {statistics.median(row['ratio'] for row in rows):.2f}", file=sys.stderr)
    report(f"overhead_{arguments.method}", rounds, arguments.out)
    report(f"overhead_{arguments.method}_phases", phases, arguments.out)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--method", default="unet")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.photos and not arguments.bare:
        parser.error("give photographs to draw rain on")
    return arguments


def make_pairs(photos: list[Path], root: Path, count: int, width: int, height: int) -> None:
    """``count`` different pairs."""
    from drivederain.rain import INTENSITIES, draw_rain

    rng = np.random.default_rng(0)
    loaded = [read(path) for path in photos]
    for kind in ("clear", "rainy"):
        (root / kind).mkdir(parents=True)
    lines = ["image,intensity"]
    for number in range(count):
        clear = cut(loaded[number % len(loaded)], rng, width, height)
        intensity = INTENSITIES[number % 3]
        rainy = draw_rain(clear, seed=0, key=str(number), intensity=intensity).rainy
        for kind, picture in (("clear", clear), ("rainy", rainy)):
            cv2.imwrite(str(root / kind / f"p{number:05d}.png"), picture[..., ::-1])
        lines.append(f"p{number:05d},{intensity}")
    (root / "intensity.csv").write_text("\n".join(lines) + "\n")


def read(path: Path) -> NDArray[Any]:
    """BGR."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is no readable picture")
    return np.asarray(picture)


def cut(photo: NDArray[Any], rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    scale = max(width / photo.shape[1], height / photo.shape[0]) * rng.uniform(1.05, 1.4)
    large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = rng.integers(large.shape[0] - height + 1), rng.integers(large.shape[1] - width + 1)
    cut = large[top : top + height, left : left + width, ::-1]
    return np.ascontiguousarray(cut[:, ::-1] if rng.random() < 0.5 else cut)


def measured(arguments: argparse.Namespace, root: Path, number: int) -> dict[str, Any]:
    """One round."""
    command = [sys.executable, __file__, "--bare", str(root / "pairs"), "--method", arguments.method]
    command += ["--images", str(arguments.images)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    row["one"], of_one = run(arguments.method, root / "one", root / f"r{number}")
    row["all"], of_all = run(arguments.method, root / "pairs", root / f"r{number}")
    others = arguments.images / (arguments.images - 1)
    after = (row["all"] - row["one"]) * others
    phases = {phase: (seconds - of_one.get(phase, 0.0)) * others for phase, seconds in of_all.items()}
    row["phases"] = phases | {"the rest": after - sum(phases.values())}
    row["ratio"] = after / (row["forward"] + row["metrics"])
    row["strict"] = after / (row["forward"] + row["metrics of the model"])
    print(f"round {number + 1}: ratio {row['ratio']:.3f}, {row}", file=sys.stderr)
    return row


def run(method: str, pairs: Path, work: Path) -> tuple[float, dict[str, float]]:
    """Seconds of a run on an empty cache, and of its phases."""
    shutil.rmtree(work, ignore_errors=True)
    command = [sys.executable, "-m", "drivederain.cli.main", "run", "--methods", method, "--data", f"paired:{pairs}"]
    command += ["--metrics", METRICS, "--out", str(work / "run"), "--cache", str(work / "cache"), "--no-train"]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ, text=True)
    seconds = time.perf_counter() - began
    # The name of the data set is that of the folder, which differs between the two runs.
    phases = PHASE.findall(BETWEEN.sub("", done.stdout))
    return seconds, {re.sub(r" on \S+$", "", phase): float(took) for phase, took in phases}


def bare(pairs: Path, name: str, images: int) -> dict[str, float]:
    """Forward passes of the model and calls of the metrics on tensors in memory, one after another."""
    import torch

    from drivederain.engine.display import Silent
    from drivederain.engine.prepare import Preparation
    from drivederain.engine.settings import RunSettings
    from drivederain.engine.worker.scoring import metric_class
    from drivederain.registry import Registry

    registry, device = Registry.discover(), torch.device("cpu")
    settings = RunSettings(methods=(name,), data=(), out=pairs, cache=pairs / "none", train=False)
    chain = registry.chain(name)
    runner = Preparation(settings, registry, device, Silent()).stage(chain).load()
    metrics = []
    for variant in registry.metric_variants(tuple(METRICS.split(","))):
        metrics.append(metric_class(variant)(variant.variant))
        metrics[-1].load(device)

    def tensors(kind: str) -> list[torch.Tensor]:
        files = sorted((pairs / kind).glob("*.png"))[:images]
        pictures = [read(file)[..., ::-1] for file in files]
        return [torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None] for picture in pictures]

    rainy, clear = tensors("rainy"), tensors("clear")
    padded = [runner.stage([picture[0].permute(1, 2, 0).numpy()], None).inputs[0].float() / 255 for picture in rainy]
    height, width = rainy[0].shape[-2:]
    with torch.inference_mode():
        runner.method.restore(padded[0])
        for metric in metrics:
            metric.score(rainy[0], clear[0], None)
        began = time.perf_counter()
        restored = [runner.method.restore(picture)[..., :height, :width] for picture in padded]
        forward = time.perf_counter() - began
        outputs = [(picture.clamp(0, 1) * 255).round().to(torch.uint8) for picture in restored]
        seconds = []
        for pictures in (outputs, rainy):
            began = time.perf_counter()
            for picture, truth in zip(pictures, clear, strict=True):
                for metric in metrics:
                    metric.score(picture, truth, None)
            seconds.append(time.perf_counter() - began)
    return {"forward": forward, "metrics of the model": seconds[0], "metrics": sum(seconds)}


if __name__ == "__main__":
    main()
