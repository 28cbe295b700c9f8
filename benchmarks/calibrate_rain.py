"""Compare drop sizes and coverage of the rain generator with droplet masks drawn on real rainy photos.

    python benchmarks/calibrate_rain.py MASKS [--chart docs/images/rain-calibration.png]

MASKS is a folder of single-channel masks (white = droplet), such as the 762 of RainyNuScenes. Sizes are the equivalent
diameters of connected components over the width of the picture, so that pictures of any size compare.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain import INTENSITIES, Intensity, RainSettings, draw_rain

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SMALLEST_AREA_PX = 9  # specks below it are no drops that a person would have drawn
OPACITY = 0.25  # soft opacity from which a person sees a drop
# The cameras behind the RainyNuScenes masks look through a cover close to the lens, not through a windshield: 5.5 mm at
# f/1.8 (aperture 3.05 mm) and 64.6 degrees wide. Distance and exposure are not published and were chosen by eye.
LENS_COVER = RainSettings(
    glass_distance_mm=18.0, aperture_mm=3.05, hfov_deg=64.6, seconds_since_wipe=3.0, rake_deg=90.0, run_offs=0
)


@dataclass(frozen=True)
class Measured:
    """``diameters``: of all components, % of the width; ``coverage``: of each picture, %; ``counts``: components of
    each picture."""

    name: str
    diameters: NDArray[np.float64]
    coverage: NDArray[np.float64]
    counts: NDArray[np.float64]


def measure(name: str, masks: Iterable[NDArray[np.uint8]]) -> Measured:
    """Sizes and coverage of masks (H x W, nonzero = drop)."""
    diameters, coverage, counts = [], [], []
    for mask in masks:
        areas = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8), connectivity=8)[2][1:, cv2.CC_STAT_AREA]
        areas = areas[areas >= SMALLEST_AREA_PX]
        diameters.append(200 * np.sqrt(areas / np.pi) / mask.shape[1])
        coverage.append(100 * np.count_nonzero(mask) / mask.size)
        counts.append(len(areas))
    return Measured(name, np.concatenate(diameters), np.array(coverage), np.array(counts, float))


def real_masks(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """Every mask of the folder, by name."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
    if not paths:
        raise SystemExit(f"{folder} holds no PNG masks")
    for path in paths:
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise SystemExit(f"{path} is no readable image")
        yield np.asarray(mask, np.uint8)


def drawn_masks(
    intensity: Intensity, settings: RainSettings, count: int, width: int, height: int
) -> Iterator[NDArray[np.uint8]]:
    """Masks of the generator: where the defocused drops are opaque enough to be seen. Pictures without any are left
    out, for every labelled photo holds a drop."""
    grey = np.full((height, width, 3), 128, np.uint8)
    for seed in range(count):
        rain = draw_rain(grey, seed=seed, key="calibration", intensity=intensity, settings=settings)
        mask = (rain.soft > OPACITY).astype(np.uint8)
        if mask.any():
            yield mask


def table(rows: list[Measured], values: str, unit: str) -> str:
    """A Markdown table of quantiles of one of the measures."""
    lines = [f"| {unit} | " + " | ".join(f"{round(100 * q)} %" for q in QUANTILES) + " | n |", "|---" * 7 + "|"]
    for row in rows:
        data = getattr(row, values)
        cells = " | ".join(f"{value:.2f}" for value in np.quantile(data, QUANTILES))
        lines.append(f"| {row.name} | {cells} | {len(data)} |")
    return "\n".join(lines)


COLOURS = ((40, 40, 40), (170, 40, 150), (214, 150, 60), (80, 160, 60), (60, 60, 200))  # BGR


def panel(rows: list[Measured], values: str, title: str, ticks: tuple[float, ...]) -> NDArray[np.uint8]:
    """The cumulative distributions of one measure, on a logarithmic axis from the first to the last tick."""
    width, height, left, top, right, bottom = 460, 320, 44, 34, 14, 34
    sheet = np.full((height, width, 3), 255, np.uint8)
    span = np.log(ticks[-1] / ticks[0])

    def place(value: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.int32]:
        x = left + (width - left - right) * np.log(np.clip(value, ticks[0], ticks[-1]) / ticks[0]) / span
        return np.stack([x, height - bottom - (height - top - bottom) * share], 1).astype(np.int32)

    def text(words: str, x: int, y: int, colour: tuple[int, int, int] = (40, 40, 40), size: float = 0.4) -> None:
        cv2.putText(sheet, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)

    for tick in ticks:
        x = int(place(np.array([tick]), np.zeros(1))[0, 0])
        cv2.line(sheet, (x, top), (x, height - bottom), (225, 225, 225), 1)
        text(f"{tick:g}", x - 8, height - bottom + 16)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = int(place(np.ones(1), np.array([share]))[0, 1])
        cv2.line(sheet, (left, y), (width - right, y), (225, 225, 225), 1)
        text(f"{share:.2f}", 8, y + 4)
    text(title, left, 20, size=0.46)
    for index, (row, colour) in enumerate(zip(rows, COLOURS, strict=True)):
        data = np.sort(getattr(row, values))
        points = place(data, (np.arange(len(data)) + 1) / len(data))
        cv2.polylines(sheet, [points.reshape(-1, 1, 2)], False, colour, 2 if index else 3, cv2.LINE_AA)
        text(row.name, left + 8, top + 16 + 16 * index, colour)
    return sheet


def main() -> None:
    """Print the tables and, if asked for, draw the chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("masks", type=Path, help="folder of droplet masks")
    parser.add_argument("--count", type=int, default=60, help="pictures to draw for each intensity (60)")
    parser.add_argument("--width", type=int, default=1600, help="width of the drawn pictures (1600)")
    parser.add_argument("--height", type=int, default=900, help="height of the drawn pictures (900)")
    parser.add_argument("--chart", type=Path, help="PNG to write")
    options = parser.parse_args()
    rows = [measure("real masks", real_masks(options.masks))]
    size = (options.count, options.width, options.height)
    rows.append(measure("drawn, lens cover", drawn_masks("light", LENS_COVER, *size)))
    for name in INTENSITIES:
        rows.append(measure(f"drawn, {name}", drawn_masks(name, RainSettings(), *size)))
    print(table(rows, "diameters", "drop diameter, % of width"), end="\n\n")
    print(table(rows, "coverage", "coverage, % of picture"), end="\n\n")
    print(table(rows, "counts", "drops in a picture"))
    if options.chart:
        sizes = panel(rows, "diameters", "drop diameter, % of picture width", (0.1, 0.3, 1, 3, 10, 30))
        covers = panel(rows, "coverage", "coverage, % of picture", (0.1, 0.3, 1, 3, 10, 30, 100))
        cv2.imwrite(str(options.chart), np.hstack([sizes, covers]), [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
