"""Coverage of the drawn rain and PSNR and SSIM of the rainy input, by intensity, on a folder of clear photos.

    python benchmarks/rain_statistics.py PHOTOS [--photos 25] [--seeds 2] [--size 512]

Photos are cropped to a square in the middle and resized by area interpolation. SSIM is that of Wang et al. (2004):
Gaussian window of sigma 1.5, mean over RGB.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from drivederain.rain import INTENSITIES, draw_rain

SUFFIXES = {".png", ".jpg", ".jpeg"}


def square(path: Path, size: int) -> NDArray[np.uint8]:
    """The middle square of a photo, RGB, ``size`` x ``size``."""
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photo is None:
        raise SystemExit(f"{path} is no readable image")
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    middle = photo[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side >= size else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(middle, (size, size), interpolation=way)[..., ::-1], np.uint8)


def spread(values: list[float], digits: int) -> str:
    """Median and the tenth and ninetieth percentile."""
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", type=Path, help="folder of clear photos")
    parser.add_argument(
        "--photos", dest="count", type=int, default=25, help="photos to use, evenly over the folder (25)"
    )
    parser.add_argument("--seeds", type=int, default=2, help="seeds for each photo (2)")
    parser.add_argument("--size", type=int, default=512, help="side of the square (512)")
    options = parser.parse_args()
    paths = sorted(path for path in options.photos.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise SystemExit(f"{options.photos} holds no photos")
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, min(options.count, len(paths))).astype(int)]
    print("| intensity | R, mm/h | run-offs | geometric, % | soft > .1, % | soft > .25, % | PSNR, dB | SSIM |")
    print("|---" * 8 + "|")
    clear = {path.name: square(path, options.size) for path in chosen}
    for intensity in INTENSITIES:
        columns: list[list[float]] = [[] for _ in range(7)]
        for name, photo in clear.items():
            for seed in range(options.seeds):
                rain = draw_rain(photo, seed=seed, key=name, intensity=intensity)
                record = rain.parameters
                values = (
                    record.rain_rate_mm_h,
                    record.run_count,
                    100 * record.coverage_geometric,
                    100 * record.coverage_soft_01,
                    100 * record.coverage_soft_025,
                    peak_signal_noise_ratio(photo, rain.rainy),
                    structural_similarity(
                        photo, rain.rainy, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
                    ),
                )
                for column, value in zip(columns, values, strict=True):
                    column.append(float(value))
        digits = (1, 0, 1, 1, 1, 1, 3)
        cells = [spread(column, digit) for column, digit in zip(columns, digits, strict=True)]
        print(f"| {intensity} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
