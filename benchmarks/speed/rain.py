"""Pictures a second of the rain generator, on one core and on all, alone or against another generator.

    python benchmarks/speed/rain.py [PHOTO ...] [--against PATH/windshield_rain.py] [--sizes 512x512,1280x720] \
        [--repeats 5] [--pictures 16] [--out FOLDER]

The other file must define ``synth(image, seed, key, intensity)``; its first result is the rainy image. Photos are
scaled to the size beforehand; without any, a random picture is used: smooth noise with grain.

Each generator runs in processes of its own, as it does when it is used, with one thread each, and the two run in turns
on the same photos and seeds. On one core, one process draws one picture at a time, and images/s are by CPU time; on all
cores, ``--pictures`` pictures are shared out among a process a core, and images/s are by wall time. A ratio is this
generator's time over the other's in runs next to each other, so that .5 is twice as fast: median (smallest-largest).
CPU time is that of the processes that draw.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from measure import Timing, ratios, report, spread, timed
from numpy.typing import NDArray

from drivederain.rain import INTENSITIES, Intensity, draw_rain

Pixels = NDArray[np.uint8]
Draw = Callable[[Pixels, int, str, Intensity], object]
Size = tuple[int, int]


class Painter:
    """What a process that draws holds: the generator and the photos at one size."""

    draw: Draw
    photos: list[Pixels]


def own(photo: Pixels, seed: int, key: str, intensity: Intensity) -> object:
    """The picture that this project draws."""
    return draw_rain(photo, seed=seed, key=key, intensity=intensity)


def load_synth(path: Path) -> Draw:
    """The function ``synth`` of a Python file."""
    spec = importlib.util.spec_from_file_location("other_rain", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    synth: Draw = module.synth
    return synth


def pictures(paths: Sequence[Path], size: Size) -> list[Pixels]:
    """The photos at that size (width, height), or one random picture if there are none."""
    if not paths:
        rng = np.random.default_rng(0)
        smooth = cv2.resize(rng.random((9, 16, 3)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
        noisy = 255 * (smooth + 0.1 * (rng.random(smooth.shape, dtype=np.float32) - 0.5))
        return [np.clip(noisy, 0, 255).astype(np.uint8)]
    photos = []
    for path in paths:
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if photo is None:
            raise SystemExit(f"{path} is no readable image")
        scaled = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        photos.append(np.ascontiguousarray(scaled[..., ::-1], np.uint8))
    return photos


def prepare(other: Path | None, paths: Sequence[Path], size: Size) -> None:
    """Make this process ready to draw, with one thread."""
    cv2.setNumThreads(1)
    Painter.draw = staticmethod(own if other is None else load_synth(other))
    Painter.photos = pictures(paths, size)


def draw(intensity: Intensity, number: int) -> Timing:
    """Draw picture ``number``: the photos take turns, and each round of them has its own seed."""
    seed, place = divmod(number, len(Painter.photos))
    return timed(lambda: Painter.draw(Painter.photos[place], seed, f"speed-{place}", intensity))


def draw_one(pool: Pool, intensity: Intensity, number: int) -> Timing:
    """Draw one picture with one process of the pool."""
    return pool.apply(draw, (intensity, number))


def draw_all(pool: Pool, intensity: Intensity, count: int, turn: int) -> Timing:
    """Draw ``count`` pictures with every process of the pool; each turn has pictures of its own."""
    started = time.perf_counter()
    drawn = pool.map(partial(draw, intensity), range(turn * count, (turn + 1) * count), chunksize=1)
    return Timing(time.perf_counter() - started, sum(run.cpu for run in drawn))


def in_turns(works: Mapping[str, Callable[[int], Timing]], repeats: int) -> dict[str, list[Timing]]:
    """The timings that each work returns, in turns; it is called with the number of the round. The first round is run
    twice and counted once."""
    timings: dict[str, list[Timing]] = {name: [] for name in works}
    for turn in (0, *range(repeats)):
        for name, work in works.items():
            timings[name].append(work(turn))
    return {name: runs[1:] for name, runs in timings.items()}


def row(timings: dict[str, list[Timing]], clock: str, drawn: int) -> dict[str, Any]:
    """Pictures a second of each generator by its median run, and the ratios of our times over the other's."""
    cells: dict[str, Any] = {}
    for name, runs in timings.items():
        cells[f"{name}, images/s"] = f"{drawn / statistics.median(getattr(run, clock) for run in runs):.1f}"
    if "other" in timings:
        cells |= {f"{by} ratio": spread(ratios(timings["ours"], timings["other"], by)) for by in ("cpu", "wall")}
    return cells


def sizes(text: str) -> list[Size]:
    """``512x512,1280x720`` as pairs of width and height."""
    return [(int(width), int(height)) for width, height in (size.split("x") for size in text.split(","))]


def main() -> None:
    """Measure every size and intensity on one core and on all, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", nargs="*", type=Path, help="clear photos (default: one random picture)")
    parser.add_argument("--against", type=Path, help="Python file with the other generator")
    parser.add_argument("--sizes", type=sizes, default=sizes("512x512,1280x720"), help="512x512,1280x720")
    parser.add_argument("--repeats", type=int, default=5, help="rounds over the photos, and over all cores (5)")
    parser.add_argument("--pictures", type=int, default=16, help="pictures in a run on all cores (16)")
    parser.add_argument("--out", type=Path, help="folder for rain.json")
    options = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # of the processes that are spawned
    generators: dict[str, Path | None] = {"ours": None}
    if options.against:
        generators["other"] = options.against
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    spawn = multiprocessing.get_context("spawn")
    rows = []
    for size in options.sizes:
        with ExitStack() as stack:

            def start(processes: int) -> dict[str, Pool]:
                return {
                    name: stack.enter_context(spawn.Pool(processes, prepare, (other, options.photos, size)))  # noqa: B023
                    for name, other in generators.items()
                }

            single, every = start(1), start(cores)
            for intensity in INTENSITIES:
                shown = {"size": f"{size[0]}x{size[1]}", "intensity": intensity}
                one = {name: partial(draw_one, pool, intensity) for name, pool in single.items()}
                alone = in_turns(one, options.repeats * max(1, len(options.photos)))
                rows.append({**shown, "cores": 1, **row(alone, "cpu", 1)})
                many = {name: partial(draw_all, pool, intensity, options.pictures) for name, pool in every.items()}
                together = in_turns(many, options.repeats)
                rows.append({**shown, "cores": cores, **row(together, "wall", options.pictures)})
    report("rain", rows, options.out)


if __name__ == "__main__":
    main()
