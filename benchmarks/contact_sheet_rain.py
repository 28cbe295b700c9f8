"""Makes a contact sheet of rain on drawn scenes: python benchmarks/contact_sheet_rain.py docs/images/rain.jpg

A row is one scene: clear, light, medium, heavy, and the soft mask of the heavy rain.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain import INTENSITIES, draw_rain
from drivederain.scenes import TIMES_OF_DAY, draw_scene


def row(seed: int, index: int, height: int, width: int) -> list[NDArray[np.uint8]]:
    """The pictures of one row, drawn at ``height`` x ``width``."""
    time = TIMES_OF_DAY[index % len(TIMES_OF_DAY)]
    clear = np.asarray(draw_scene(seed=seed, index=index, height=height, width=width, time_of_day=time).image, np.uint8)
    rains = [draw_rain(clear, seed=seed, key=f"scene-{index}", intensity=name) for name in INTENSITIES]
    mask = np.round(255 * rains[-1].soft).astype(np.uint8)
    return [clear, *(rain.rainy for rain in rains), cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB)]


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="the JPEG or PNG to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=3, help="scenes, by day, at dusk and at night in turn")
    parser.add_argument("--height", type=int, default=720, help="height at which scenes and rain are drawn")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--shrink", type=int, default=4, help="how much smaller the sheet shows them")
    parser.add_argument("--quality", type=int, default=85, help="JPEG quality, 0 to 100")
    options = parser.parse_args()
    small = (options.width // options.shrink, options.height // options.shrink)
    rows = [
        np.hstack([cv2.resize(picture, small, interpolation=cv2.INTER_AREA) for picture in pictures])
        for pictures in (row(options.seed, index, options.height, options.width) for index in range(options.rows))
    ]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    if not cv2.imwrite(str(options.output), sheet, [cv2.IMWRITE_JPEG_QUALITY, options.quality]):
        parser.error(f"cannot write {options.output}; give a name that ends in .jpg or .png")


if __name__ == "__main__":
    main()
