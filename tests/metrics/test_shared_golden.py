"""Reference scores of 20 rain pairs and of the three example images of the LPIPS paper. ``pytest -s`` prints the
largest difference of each column."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from drivederain.metrics.metric import Metric

pytestmark = pytest.mark.shared

COLUMNS = {
    "mse_rgb_255": ("mse", "rgb", 1e-3),
    "psnr_rgb": ("psnr", "rgb", 1e-3),
    "psnr_y_bt601_u8": ("psnr_y", "mprnet", 1e-3),
    "psnr_y_bt601_float": ("psnr_y", "prenet", 1e-3),
    "ssim_rgb_mean_channels": ("ssim", "rgb", 1e-4),
    "ssim_y_bt601_u8": ("ssim_y", "mprnet", 1e-4),
    "lpips_alex": ("lpips", "alex", 1e-3),
}


def paths_of(pair: str, shared: Path) -> tuple[Path, Path]:
    folder, name = pair.split("/")
    if folder == "lpips":
        output, truth = name.split(" vs ")
        return shared / "golden" / output, shared / "golden" / truth
    pairs = shared / "data" / "pairs" / folder
    return pairs / "rainy" / name, (pairs / "clean" / name).with_suffix(".jpg")


@pytest.mark.parametrize("column", COLUMNS)
def test_agrees_with_the_reference(
    column: str, shared: Path, metric_of: Callable[[str, str], Metric], load_picture: Callable[[Path], Tensor]
) -> None:
    name, variant, tolerance = COLUMNS[column]
    with (shared / "golden" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 22
    differences = []
    for row in rows:
        output, truth = (load_picture(path) for path in paths_of(row["pair"], shared))
        value = metric_of(name, variant).score(output, truth, None)["image"].item()
        differences.append(abs(value - float(row[column])))
    print(f"\n{name}[{variant}] largest difference {max(differences):.1e} (allowed {tolerance:g})")
    assert max(differences) < tolerance


def test_published_lpips_distances(
    shared: Path, metric_of: Callable[[str, str], Metric], load_picture: Callable[[Path], Tensor]
) -> None:
    truth = load_picture(shared / "golden" / "ex_ref.png")
    for name, published in (("ex_p0.png", 0.722), ("ex_p1.png", 0.138)):
        value = metric_of("lpips", "alex").score(load_picture(shared / "golden" / name), truth, None)["image"].item()
        assert round(value, 3) == published
