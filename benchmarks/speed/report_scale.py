"""What stands behind a run's end: writing and reading ``results.parquet``, the summary, the report, at several sizes.

    python benchmarks/speed/report_scale.py --images 600 10000 --methods 2 4 --out benchmarks/speed/results
    python benchmarks/speed/report_scale.py --images 600 1000 --methods 8 --pictures runs/mine

The results are made up: three pictures a scene, 6 metrics, 3 regions. Every size is measured in a process of its own,
so that peak memory (RSS) is its own; CPU seconds are of one thread where OMP_NUM_THREADS=1 is set. The first report is
made twice, the second time being that of a repeated run. There are no pictures in ``images/``, but with ``--pictures``:
then those of a run of several methods are linked there again and again, with thumbnails as a run makes them. The rainy
input is among the ``methods``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measure import report

from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import SCHEMA_VERSION, Row
from drivederain.results.store import ResultsWriter
from drivederain.results.summary import summary_table
from drivederain.results.thumbnails import NAME, strip_of, tile_files

METRICS = (
    ("lpips", "alex"),
    ("mse", "rgb"),
    ("psnr", "rgb"),
    ("psnr_y", "mprnet"),
    ("ssim", "rgb"),
    ("ssim_y", "mprnet"),
)
REGIONS = ("background", "drops", "image")
INTENSITIES = ("heavy", "light", "medium")


def rows(images: int, methods: list[str]) -> Iterator[Row]:
    """Made-up results in the order of the table; one picture in a thousand failed, one in fifty was stepped down."""
    chance = random.Random(1)
    for method in sorted(methods):
        for number in range(images):
            scene, intensity = f"photo_{number // 3:05d}", INTENSITIES[number % 3]
            failed = method != "identity" and number % 1000 == 7
            for region in REGIONS:
                for metric, variant in METRICS:
                    yield Row(
                        run="made-up",
                        method=method,
                        key="0" * 64,
                        dataset="synthetic:photos",
                        split="all",
                        image=f"{scene}@{intensity}",
                        scene=scene,
                        intensity=intensity,
                        intensity_source="recorded",
                        borderline=False,
                        region=region,
                        metric=metric,
                        variant=variant,
                        value=None if failed else 20 + len(method) / 10 + chance.random(),
                        status="failed" if failed else "ok",
                        reason="made up" if failed else "",
                        stage=method,
                        sample=0,
                        size="native",
                        weights_class="shipped",
                        budget="",
                        seen=False,
                        precision="fp32",
                        stepped_down="tile 512" if method == "method1" and number % 50 == 0 else "",
                    )


def about(images: int, methods: list[str]) -> dict[str, Any]:
    """``run.json`` with what a report cannot do without."""
    return {
        "schema_version": SCHEMA_VERSION,
        "name": "made-up",
        "command": ["drivederain-bench", "run"],
        "datasets": [{"name": "synthetic:photos", "has_truth": True, "images": images, "scenes": images // 3}],
        "methods": [
            {"name": name, "stages": [name], "status": "ok", "images_ok": images, "images": images} for name in methods
        ],
        "metrics": [
            {"name": name, "variant": variant, "direction": "lower" if name in ("lpips", "mse") else "higher"}
            for name, variant in METRICS
        ],
    }


def link_pictures(run: RunFolder, images: int, methods: list[str], pictures: Path) -> None:
    """Link the pictures of another run's first data set for every made-up image, and pack their thumbnails."""
    from drivederain_reports.pictures import read_picture

    first = next(path for path in sorted((pictures / "images").iterdir()) if path.is_dir())
    sources = []
    for folder in sorted(first.iterdir()):
        outputs = sorted(folder.glob("*.png"))
        outputs = [path for path in outputs if path.stem not in ("rainy", "clear", "mask", "identity")]
        files = {"rainy.png": folder / "rainy.png", "clear.png": folder / "clear.png", "mask.png": folder / "mask.png"}
        files |= {f"{name}.png": outputs[place % len(outputs)] for place, name in enumerate(methods)}
        tiles = [read_picture(files[name]) for name in tile_files(methods, has_truth=True)]
        sources.append((files, strip_of([None if tile is None else tile[..., ::-1] for tile in tiles])))
    for number in range(images):
        files, strip = sources[number % len(sources)]
        folder = run.image_folder("synthetic:photos", f"photo_{number // 3:05d}@{INTENSITIES[number % 3]}")
        folder.mkdir(parents=True)
        for name, source in files.items():
            (folder / name).hardlink_to(source)
        (folder / NAME).write_bytes(strip)


def measured(images: int, count: int, pictures: Path | None) -> dict[str, Any]:
    """One line of the table, in a fresh process."""
    import pandas as pd
    import pyarrow.parquet

    from drivederain_reports.page import render

    del pd, pyarrow  # loaded before the clock starts: imports are not what is measured
    methods = ["identity", *(f"method{number}" for number in range(1, count))]
    # Beside the other run's pictures, as hard links do not cross file systems.
    with tempfile.TemporaryDirectory(dir=pictures) as folder:
        run = RunFolder(Path(folder))
        run.run_json.write_text(json.dumps(about(images, methods)), encoding="utf-8")
        line: dict[str, Any] = {"images": images, "methods": count, "rows": images * count * 18, "MB at start": peak()}

        def write() -> None:
            with ResultsWriter(run.results_parquet) as writer:
                writer.add(rows(images, methods))

        line["write, CPU s"] = cpu(write)
        line["MB after writing"] = peak()
        if pictures is not None:
            link_pictures(run, images, methods[1:], pictures)
        line["summary, CPU s"] = cpu(lambda: summary_table(run.results(), methods))
        line["first report, CPU s"] = cpu(lambda: render(run))
        line["second report, CPU s"] = cpu(lambda: render(run))
        line["peak MB"] = peak()
        line["page, kB"] = run.report_html.stat().st_size // 1000
    return line


def cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return round(time.process_time() - began, 2)


def peak() -> int:
    """Largest resident memory of this process so far, MB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", nargs="+", type=int, default=[600, 10_000])
    parser.add_argument("--methods", nargs="+", type=int, default=[2, 4])
    parser.add_argument("--pictures", type=Path, help="a run whose pictures are shown")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    lines = []
    for images in arguments.images:
        for count in arguments.methods:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                lines.append(pool.apply(measured, (images, count, arguments.pictures)))
    report("report_scale", lines, arguments.out)


if __name__ == "__main__":
    main()
