"""Makes a contact sheet of drawn scenes: python benchmarks/contact_sheet_scenes.py docs/images/scenes.jpg"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from drivederain.scenes import draw_scene


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="the JPEG or PNG to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="index of the first scene")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--height", type=int, default=180)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--quality", type=int, default=88, help="JPEG quality, 0 to 100")
    options = parser.parse_args()
    scenes = [
        draw_scene(seed=options.seed, index=index, height=2 * options.height, width=2 * options.width).image
        for index in range(options.first, options.first + options.count)
    ]
    small = [cv2.resize(scene, (options.width, options.height), interpolation=cv2.INTER_AREA) for scene in scenes]
    blank = np.full_like(small[0], 255)
    small += [blank] * (-len(small) % options.columns)
    rows = [np.hstack(small[start : start + options.columns]) for start in range(0, len(small), options.columns)]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    jpeg = options.output.suffix.lower() in (".jpg", ".jpeg")
    if not cv2.imwrite(str(options.output), sheet, [cv2.IMWRITE_JPEG_QUALITY, options.quality] if jpeg else []):
        parser.error(f"cannot write {options.output}; give a name that ends in .jpg or .png")


if __name__ == "__main__":
    main()
