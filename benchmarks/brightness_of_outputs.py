"""Whether outputs are as bright and of as much contrast as the truth, by method and intensity, as Markdown.

    python benchmarks/brightness_of_outputs.py runs/clear_road --images kitti

Too bright is the mean of output minus truth, in shares of full scale; contrast the standard deviation of all pixels of
the output as a share of the truth's. Both are means over the pictures that the run has stored.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from drivederain.results.run_folder import RunFolder
from drivederain.results.statistics import in_order


def compared(output: Path, truth: Path) -> tuple[float, float, float]:
    """Too bright by, contrast as a share of the truth's, standard deviation of the truth."""
    pictures = [cv2.imread(str(path)) for path in (output, truth)]
    if any(picture is None for picture in pictures):
        raise SystemExit(f"{output} or {truth.name} is missing or damaged. Run the benchmark with its pictures kept.")
    made, clear = (np.asarray(picture, np.float64) / 255 for picture in pictures)
    return float((made - clear).mean()), float(made.std() / clear.std()), float(clear.std())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", default="", help="only those whose names begin so; prefixes between commas")
    arguments = parser.parse_args()
    run = RunFolder(arguments.run)
    rows = run.results()
    rows = rows[(rows["status"] == "ok") & (rows["region"] == "image") & (rows["sample"] == 0)]
    rows = rows[rows["image"].astype(str).str.startswith(tuple(arguments.images.split(",")))]
    print("| intensity | method | n | too bright by | contrast, share of the truth's | truth's standard deviation |")
    print("|---|---|---|---|---|---|")
    for intensity in in_order(rows["intensity"].unique()):
        of_intensity = rows[rows["intensity"] == intensity]
        for method in of_intensity["method"].unique():
            own = of_intensity[of_intensity["method"] == method][["dataset", "image"]].drop_duplicates().astype(str)
            found = [
                compared(run.output_png(dataset, image, method), run.image_folder(dataset, image) / "clear.png")
                for dataset, image in own.itertuples(index=False)
            ]
            bright, contrast, truth = np.mean(found, axis=0)
            print(f"| {intensity} | {method} | {len(found)} | {bright:+.3f} | {contrast:.2f} | {truth:.3f} |")


if __name__ == "__main__":
    main()
