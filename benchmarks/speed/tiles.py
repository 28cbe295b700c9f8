"""Tiles against the whole picture: how far apart the outputs are, whether seams show, and what memory each takes.

    python benchmarks/speed/tiles.py PHOTO ... [--methods unet,unet+diffusion,restormer] [--size 1920x1080] \
        [--tiles 512:64,1024:128]

Photographs are scaled to the size and rain is drawn on them. Each setting (``TILE:OVERLAP``) runs in a child process of
its own, whose largest resident set is its memory. ``near seams`` is the mean difference in 8-bit levels to the whole
picture's output within 16 pixels of the borders of tiles, ``elsewhere`` that of all other pixels.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import report
from numpy.typing import NDArray
from subjects import Pair, Pixels, pairs, psnr, shipped_runner

from drivederain.engine.device import DeviceRunner
from drivederain.engine.memory import PeakMemory
from drivederain.engine.staging import padded
from drivederain.tiling import positions

NEAR = 16
"""Pixels on either side of a tile's border."""


def restore_in_child(chain: str, tile: int, overlap: int, threads: int, shown: list[Pair], folder: str) -> None:
    """Restore the pictures with a chain and leave the outputs and the figures in ``folder``."""
    torch.set_num_threads(threads)
    cpu = torch.device("cpu")
    runners = [shipped_runner(name, cpu, tile=tile, overlap=overlap) for name in chain.split("+")]
    memory = PeakMemory(cpu)
    memory.start()
    before, seconds = memory.peak_mb(), []
    for number, pair in enumerate(shown):
        started = time.perf_counter()
        output = pair.rainy
        for runner in runners:
            # A first pass more would only take time: memory is what is measured.
            runner.is_warm = lambda batch, at_its_size=False: True  # type: ignore[method-assign, misc]
            estimates = [output] if runner.spec.kind == "refiner" else None
            output = runner.restore([pair.name], [pair.rainy], estimates)[0].pixels
        seconds.append(time.perf_counter() - started)
        np.save(Path(folder) / f"{number}.npy", output)
    np.save(Path(folder) / "figures.npy", np.array([before, memory.peak_mb(), min(seconds)]))


def measured(
    chain: str, tile: int, overlap: int, threads: int, shown: list[Pair]
) -> tuple[list[Pixels], tuple[float, float, float]] | None:
    """Outputs; memory before and at most (MB), seconds a picture. ``None``: the child was killed, or ran out."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = (chain, tile, overlap, threads, shown, folder)
        child = multiprocessing.get_context("spawn").Process(target=restore_in_child, args=arguments)
        child.start()
        child.join()
        if child.exitcode != 0:
            return None
        before, peak, seconds = np.load(Path(folder) / "figures.npy")
        return [np.load(Path(folder) / f"{number}.npy") for number in range(len(shown))], (before, peak, seconds)


def near_seams(runner: DeviceRunner, height: int, width: int) -> NDArray[np.bool_]:
    """Which pixels are near the border of a tile (that of the picture is none)."""
    assert runner.tile is not None
    needs = runner.spec.needs
    near = np.zeros((height, width), bool)
    for axis, length in enumerate((height, width)):
        whole = padded(length, needs)
        overlap = min(needs.tile_overlap, runner.tile // 2)
        starts, side = positions(whole, runner.tile, overlap, multiple=needs.multiple, minimum=needs.minimum)
        for border in {*starts, *(start + side for start in starts)} - {0, whole}:
            band = slice(max(border - NEAR, 0), border + NEAR)
            near[(band, slice(None)) if axis == 0 else (slice(None), band)] = True
    return near


def compare(tiled: list[Pixels], whole: list[Pixels], shown: list[Pair], near: NDArray[np.bool_]) -> dict[str, Any]:
    """The columns that compare outputs."""
    apart = [np.abs(a.astype(int) - b).max(axis=2) for a, b in zip(tiled, whole, strict=True)]
    level = [np.abs(a.astype(int) - b).mean(axis=2) for a, b in zip(tiled, whole, strict=True)]
    change = [
        psnr(a, pair.clear) - psnr(b, pair.clear) for a, b, pair in zip(tiled, whole, shown, strict=True)
    ]  # fmt: skip
    return {
        "PSNR to whole, dB": f"{np.mean([psnr(a, b) for a, b in zip(tiled, whole, strict=True)]):.1f}",
        "largest difference, levels": int(max(difference.max() for difference in apart)),
        "near seams": f"{np.mean([difference[near].mean() for difference in level]):.3f}",
        "elsewhere": f"{np.mean([difference[~near].mean() for difference in level]):.3f}",
        "PSNR change to truth, dB": f"{np.mean(change):+.4f} ({min(change):+.4f} to {max(change):+.4f})",
    }


def rows_of(chain: str, shown: list[Pair], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The whole picture first, then each setting of tiles."""
    height, width = shown[0].clear.shape[:2]
    rows: list[dict[str, Any]] = []
    whole: list[Pixels] | None = None
    for setting in ["0:0"] * (not arguments.no_whole) + arguments.tiles.split(","):
        tile, overlap = map(int, setting.split(":"))
        done = measured(chain, tile, overlap, arguments.threads, shown)
        row = {"method": chain, "size": f"{width}x{height}", "tile:overlap": setting if tile else "whole"}
        if done is None:
            rows.append(row | {"peak memory, MB": "did not fit"})
            continue
        outputs, (before, peak, seconds) = done
        row |= {"peak memory, MB": round(peak), "of it before": round(before), "s/picture": f"{seconds:.1f}"}
        row["PSNR, dB"] = (
            f"{np.mean([psnr(output, pair.clear) for output, pair in zip(outputs, shown, strict=True)]):.3f}"
        )
        if not tile:
            whole = outputs
        elif whole is not None:
            last = shipped_runner(chain.split("+")[-1], torch.device("cpu"), tile=tile, overlap=overlap)
            row |= compare(outputs, whole, shown, near_seams(last, height, width))
        rows.append(row)
        print(row, flush=True)
    return rows


def main() -> None:
    """Print and store a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--methods", default="unet,unet+diffusion,restormer")
    parser.add_argument("--size", default="1920x1080", help="WIDTHxHEIGHT (1920x1080)")
    parser.add_argument("--tiles", default="512:64,1024:128", help="TILE:OVERLAP,... in pixels")
    parser.add_argument("--no-whole", action="store_true", help="memory of tiles alone, where the whole does not fit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--name", default="tiles", help="of the table in --out")
    parser.add_argument("--out", type=Path, help="folder for the table as JSON")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    shown = pairs(arguments.photos, width, height)
    rows = [row for chain in arguments.methods.split(",") for row in rows_of(chain, shown, arguments)]
    report(arguments.name, rows, arguments.out)


if __name__ == "__main__":
    main()
