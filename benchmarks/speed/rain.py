"""Time the rain generator, alone or against another one, on the same pictures in turns.

    python benchmarks/speed/rain.py [PHOTO ...] [--against PATH/windshield_rain.py] [--repeats 5]

The other file must define ``synth(image, seed, key, intensity)``; its first result is the rainy image. Without photos,
a random picture is used: smooth noise with grain. OpenCV is held to one thread, so that CPU time and wall time compare.
A ratio is this generator's time over the other's, of two runs next to each other; below 1 is faster.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain import INTENSITIES, draw_rain

SIZES = ((512, 512), (1280, 720), (1920, 1080))


def load_synth(path: Path) -> Callable[..., Any]:
    """The function ``synth`` of a Python file."""
    spec = importlib.util.spec_from_file_location("other_rain", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    synth: Callable[..., Any] = module.synth
    return synth


def pictures(paths: list[Path], width: int, height: int) -> list[NDArray[np.uint8]]:
    """The photos at that size, or one random picture if there are none."""
    if not paths:
        rng = np.random.default_rng(0)
        smooth = cv2.resize(rng.random((9, 16, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        noisy = 255 * (smooth + 0.1 * (rng.random(smooth.shape, dtype=np.float32) - 0.5))
        return [np.clip(noisy, 0, 255).astype(np.uint8)]
    photos = []
    for path in paths:
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if photo is None:
            raise SystemExit(f"{path} is no readable image")
        scaled = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
        photos.append(np.ascontiguousarray(scaled[..., ::-1], np.uint8))
    return photos


def timed(work: Callable[[], object]) -> NDArray[np.float64]:
    """CPU and wall seconds of one run."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return np.array([time.process_time() - cpu, time.perf_counter() - wall])


def main() -> None:
    """Print a line for each size and intensity."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", nargs="*", type=Path, help="clear photos (default: one random picture)")
    parser.add_argument("--against", type=Path, help="Python file with the other generator")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each after one to warm up (5)")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    synth = load_synth(options.against) if options.against else None
    header = ["size", "intensity", "CPU ms", "wall ms"]
    header += ["other CPU ms", "other wall ms", "ratio CPU [min, max]", "ratio wall [min, max]"] if synth else []
    print("| " + " | ".join(header) + " |")
    print("|---" * len(header) + "|")
    for width, height in SIZES:
        photos = pictures(options.photos, width, height)
        for intensity in INTENSITIES:
            mine, others = [], []
            for turn in range(-1, options.repeats):
                for number, photo in enumerate(photos):
                    seed, key = max(turn, 0), f"speed-{number}"
                    own = timed(lambda: draw_rain(photo, seed=seed, key=key, intensity=intensity))  # noqa: B023
                    other = timed(lambda: synth(photo, seed, key, intensity)) if synth else own  # noqa: B023
                    if turn >= 0:
                        mine.append(own)
                        others.append(other)
            own_ms, other_ms = (1e3 * np.median(runs, axis=0) for runs in (mine, others))
            cells = [f"{width}x{height}", intensity, f"{own_ms[0]:.0f}", f"{own_ms[1]:.0f}"]
            if synth:
                ratios = np.array(mine) / np.array(others)
                low, middle, high = ratios.min(0), np.median(ratios, axis=0), ratios.max(0)
                cells += [f"{other_ms[0]:.0f}", f"{other_ms[1]:.0f}"]
                cells += [f"{middle[i]:.2f} [{low[i]:.2f}, {high[i]:.2f}]" for i in range(2)]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
