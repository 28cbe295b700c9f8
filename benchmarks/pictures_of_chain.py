"""A page of what the last method of a chain did: rainy, the chain before, the chain, the truth, and the differences.

    python benchmarks/pictures_of_chain.py runs/chain unet+diffusion page.jpg

For each intensity the pictures where it gained most PSNR, where it gained what it usually does, and where it gained
least or harmed most. The fifth column is the change that it made, four times as strong around grey; the sixth the
error that is left, twice as strong, where black is none.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivederain.results.run_folder import RunFolder
from drivederain.specs import INTENSITIES

Pixels = NDArray[np.uint8]
CHANGE, ERROR = 4, 2
"""How much stronger the differences are shown."""


def gains(results: pd.DataFrame, chain: str) -> pd.DataFrame:
    """PSNR of the chain minus that of the chain before, dB, of each picture: dataset, image, intensity, gain."""
    before = chain.rpartition("+")[0]
    chosen = results[
        (results["metric"] == "psnr") & (results["variant"] == "rgb") & (results["region"] == "image")
        & (results["sample"] == 0) & results["method"].isin([before, chain])
    ]  # fmt: skip
    key = ["dataset", "image", "intensity"]
    table = chosen.pivot_table(index=key, columns="method", values="value", observed=True).reset_index()
    return table.assign(gain=table[chain] - table[before]).dropna(subset="gain")


def picked(of_intensity: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    """The picture with the largest gain, the median one and the smallest."""
    ordered = of_intensity.sort_values(["gain", "image"], kind="stable")
    return [("most", ordered.iloc[-1]), ("median", ordered.iloc[len(ordered) // 2]), ("least", ordered.iloc[0])]


def row(run: RunFolder, dataset: str, image: str, chain: str, width: int) -> list[Pixels]:
    """The six pictures, BGR, shrunk to ``width`` after the differences were taken."""
    folder = run.image_folder(dataset, image)
    paths = [folder / "rainy.png", run.output_png(dataset, image, chain.rpartition("+")[0]),
             run.output_png(dataset, image, chain), folder / "clear.png"]  # fmt: skip
    pictures = []
    for path in paths:
        found = cv2.imread(str(path))
        if found is None:
            raise SystemExit(f"{path} is missing or damaged. Run the benchmark with its pictures kept.")
        pictures.append(found.astype(np.float64))
    _, before, after, clear = pictures
    pictures += [128 + CHANGE * (after - before), ERROR * np.abs(after - clear)]
    size = (width, round(width * clear.shape[0] / clear.shape[1]))
    return [
        cv2.resize(np.clip(np.rint(picture), 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
        for picture in pictures
    ]


def titled(pictures: list[Pixels], texts: list[str]) -> Pixels:
    """Side by side under a line of text each."""
    columns = []
    for picture, text in zip(pictures, texts, strict=True):
        bar = np.full((26, picture.shape[1], 3), 255, np.uint8)
        cv2.putText(bar, text, (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        columns.append(np.vstack([bar, picture]))
    sheet: Pixels = np.hstack(columns)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("chain", help="as unet+diffusion; the run must have the chain before it too")
    parser.add_argument("output", type=Path, help="the JPEG or PNG to write")
    parser.add_argument("--images", default="", help="only those whose names begin so; prefixes between commas")
    parser.add_argument("--width", type=int, default=480, help="of a picture on the page, pixels")
    arguments = parser.parse_args()
    run, before = RunFolder(arguments.run), arguments.chain.rpartition("+")[0]
    table = gains(run.results(), arguments.chain)
    table = table[table["image"].astype(str).str.startswith(tuple(arguments.images.split(",")))]
    rows = []
    for intensity in INTENSITIES:
        of_intensity = table[table["intensity"] == intensity]
        for kind, found in picked(of_intensity) if len(of_intensity) else []:
            texts = [f"{found['image']}: {kind}", f"{before} {found[before]:.2f} dB",
                     f"{arguments.chain} {found[arguments.chain]:.2f} dB ({found['gain']:+.2f})", "truth",
                     f"change x {CHANGE}", f"error x {ERROR}"]  # fmt: skip
            rows.append(
                titled(row(run, str(found["dataset"]), str(found["image"]), arguments.chain, arguments.width), texts)
            )
    if not rows:
        parser.error(f"{arguments.run} has no pictures that {before} and {arguments.chain} both restored")
    widest = max(each.shape[1] for each in rows)
    sheet = np.vstack([cv2.copyMakeBorder(each, 0, 4, 0, widest - each.shape[1], cv2.BORDER_CONSTANT) for each in rows])
    if not cv2.imwrite(str(arguments.output), sheet):
        parser.error(f"cannot write {arguments.output}; give a name that ends in .jpg or .png")


if __name__ == "__main__":
    main()
