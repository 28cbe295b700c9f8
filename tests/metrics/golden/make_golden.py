"""Draw the pictures of this folder and compute their reference scores with scikit-image, SciPy and the lpips package.

Usage: ``python tests/metrics/golden/make_golden.py FOLDER``, where FOLDER holds ``alexnet-features.safetensors`` in
float32. Writes ``NAME_output.png``, ``NAME_truth.png``, ``NAME_mask.png`` and ``scores.csv`` beside this file. Nothing
of ``drivederain.metrics`` is used.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import warnings
from pathlib import Path

import lpips
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from scipy import ndimage
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

HERE = Path(__file__).parent
REGIONS = ("image", "drops", "background")


def street(height: int, width: int, light: float) -> np.ndarray:
    """A road below a sky with a lane, a kerb and two cars: float H x W x 3 in 0..255."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    sky = np.stack([150 - 60 * y, 180 - 50 * y, 225 - 30 * y], axis=-1)
    road = np.stack([70 + 30 * y, 72 + 30 * y, 78 + 25 * y], axis=-1)
    picture = np.where((y > 0.45)[..., None], road, sky)
    spread = np.abs(x - 0.5) / np.maximum(y - 0.4, 0.01)
    picture[(y > 0.45) & (spread > 0.9)] = (80, 105, 60)
    picture[(y > 0.45) & (spread < 0.03) & (np.floor(y * 20) % 2 == 0)] = (230, 225, 190)
    for left, top, side, colour in ((0.2, 0.5, 0.14, (170, 30, 35)), (0.62, 0.46, 0.09, (30, 60, 140))):
        picture[(x > left) & (x < left + 1.4 * side) & (y > top) & (y < top + side)] = colour
    return np.asarray(light * (picture + (6 * np.sin(90 * x) * np.cos(70 * y))[..., None]))


def streaks(picture: np.ndarray, random: np.random.Generator, number: int) -> np.ndarray:
    """Slanted bright streaks added."""
    height, width, _ = picture.shape
    layer = np.zeros((height, width))
    for _ in range(number):
        row, column, length = random.random(3) * (height, width, height / 4)
        for step in range(int(length)):
            layer[int(row + step) % height, int(column + step / 4) % width] = 70
    return picture + ndimage.uniform_filter(layer, (3, 1))[..., None] * 1.5


def drops(
    picture: np.ndarray, random: np.random.Generator, number: int, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Round drops that show the blurred, inverted scene; and their soft mask in [0, 1]."""
    height, width, _ = picture.shape
    y, x = np.mgrid[0:height, 0:width]
    mask = np.zeros((height, width))
    for _ in range(number):
        row, column, size = random.random(3) * (height, width, radius) + (0, 0, radius / 2)
        mask = np.maximum(mask, np.clip(1.5 - np.hypot(y - row, x - column) / size * 1.5, 0, 1))
    inside = ndimage.gaussian_filter(picture[::-1], (4, 4, 0)) + 25
    return picture + mask[..., None] * (inside - picture), mask


def draw(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Output and truth, uint8 H x W x 3, and mask, uint8 H x W in 0..255, of a named pair."""
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(name.encode()))))
    if name == "noise":
        output, truth = random.random((2, 48, 73, 3)) * 255
        mask = random.random((48, 73))
    elif name == "streaks":
        truth = street(64, 96, 1)
        output, mask = streaks(truth, random, 40), np.zeros((64, 96))
    elif name == "night":
        truth = street(80, 80, 0.15)
        output, mask = drops(truth, random, 6, 9)
        output = output + (random.random(output.shape) - 0.5) * 4
    elif name == "drops":
        truth = street(97, 129, 1)
        output, mask = drops(streaks(truth, random, 15), random, 8, 12)
    else:  # thinned: large enough for the variant prenet to halve it, with odd sides
        truth = street(387, 401, 0.9)
        output, mask = drops(streaks(truth, random, 60), random, 14, 30)
    eight = (np.clip(np.rint(picture), 0, 255).astype(np.uint8) for picture in (output, truth, mask * 255))
    return next(eight), next(eight), next(eight)


def float_luma(picture: np.ndarray) -> np.ndarray:
    """MATLAB's rgb2ycbcr, first channel, float64 in 16..235."""
    return np.asarray(16 + picture.astype(np.float64) @ np.array([65.481, 128.553, 24.966]) / 255)


def planes(picture: np.ndarray, variant: str) -> np.ndarray:
    """Float64 H x W x C."""
    if variant == "rgb":
        return picture.astype(np.float64)
    luma = float_luma(picture)
    return (np.floor(luma + 0.5) if variant == "mprnet" else luma)[..., None]


def thin(plane: np.ndarray, factor: int) -> np.ndarray:
    """Box mean of ``factor`` x ``factor`` and every ``factor``-th pixel, edges mirrored, as Wang's ssim.m."""
    # SciPy centres an even window at size // 2, MATLAB one place before.
    origin = -1 if factor % 2 == 0 else 0
    averaged = ndimage.uniform_filter(plane, size=factor, mode="reflect", origin=origin)
    return np.asarray(averaged[::factor, ::factor])


def similarity(output: np.ndarray, truth: np.ndarray, mask: np.ndarray, variant: str) -> tuple[np.ndarray, np.ndarray]:
    """Map of the structural similarity, its border of 5 taken off, and the soft mask at the same places."""
    a, b = planes(output, variant), planes(truth, variant)
    if variant == "prenet":
        factor = max(1, int(np.floor(min(mask.shape) / 256 + 0.5)))
        a, b = (thin(picture[..., 0], factor)[..., None] for picture in (a, b))
        mask = mask[::factor, ::factor]
    maps = [
        structural_similarity(
            a[..., i],
            b[..., i],
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )[1]
        for i in range(a.shape[-1])
    ]
    return np.mean(maps, axis=0)[5:-5, 5:-5], mask[5:-5, 5:-5]


def inside(mask: np.ndarray) -> dict[str, np.ndarray]:
    """Region -> boolean H x W."""
    return {"image": np.ones(mask.shape, bool), "drops": mask > 0.1, "background": ~(mask > 0.1)}


def distances(network: lpips.LPIPS, output: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Scalar of the lpips package, and its spatial map."""
    a, b = (lpips.im2tensor(picture) for picture in (output, truth))
    network.spatial = False
    scalar = network(a, b).item()
    network.spatial = True
    return scalar, network(a, b)[0, 0].numpy()


def network_of(folder: Path) -> lpips.LPIPS:
    """The package's AlexNet variant on float32 weights of ``folder``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    features = load_file(folder / "alexnet-features.safetensors")
    for name, parameter in network.net.named_parameters():
        _, layer, kind = name.split(".")
        parameter.data.copy_(features[f"features.{layer}.{kind}"])
    return network


def main() -> None:
    """Write pictures and scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the float32 AlexNet weights")
    network = network_of(parser.parse_args().folder)
    rows = []
    for name in ("noise", "streaks", "night", "drops", "thinned"):
        output, truth, eight_bit_mask = draw(name)
        for role, picture in (("output", output), ("truth", truth), ("mask", eight_bit_mask)):
            Image.fromarray(picture).save(HERE / f"{name}_{role}.png", optimize=True)
        mask = eight_bit_mask / 255
        scores = {}
        for region, where in inside(mask).items():
            if not where.any():
                continue
            for variant in ("rgb", "mprnet", "prenet"):
                a, b = planes(output, variant)[where], planes(truth, variant)[where]
                metric = "psnr" if variant == "rgb" else "psnr_y"
                scores[metric, variant, region] = peak_signal_noise_ratio(b, a, data_range=255)
            scores["mse", "rgb", region] = mean_squared_error(
                truth[where].astype(np.float64), output[where].astype(np.float64)
            )
        for variant in ("rgb", "mprnet", "prenet"):
            values, soft = similarity(output, truth, mask, variant)
            for region, where in inside(soft).items():
                if where.any():
                    scores["ssim" if variant == "rgb" else "ssim_y", variant, region] = values[where].mean()
        with torch.inference_mode():
            scalar, spatial = distances(network, output, truth)
        for region, where in inside(mask).items():
            if where.any():
                scores["lpips", "alex", region] = scalar if region == "image" else spatial[where].mean()
        rows += [(name, *key, f"{value:.9f}") for key, value in sorted(scores.items())]
    with (HERE / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["pair", "metric", "variant", "region", "value"])
        writer.writerows(rows)
    versions = {package: importlib.metadata.version(package) for package in ("scikit-image", "scipy", "lpips", "torch")}
    print(f"{len(rows)} scores by {versions}")


if __name__ == "__main__":
    main()
