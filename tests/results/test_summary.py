from __future__ import annotations

import math
from pathlib import Path

import pytest

from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import Row, Status
from drivederain.results.store import write_results
from drivederain.results.summary import summary_table


def score(method: str, image: str, intensity: str, metric: str, value: float | None, status: Status = "ok") -> Row:
    variant = "alex" if metric == "lpips" else "rgb"
    return Row(
        "r",
        method,
        "k",
        "d",
        "all",
        f"{image}@{intensity}",
        image,
        intensity,
        "recorded",
        False,
        "image",
        metric,
        variant,
        value,
        status,
        "",
        method,
        0,
        "native",
        "none",
        "",
        False,
        "fp32",
    )


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, object]]:
    run = RunFolder(tmp_path)
    written = []
    for intensity in ("light", "heavy"):
        for number, image in enumerate("abc"):
            written.append(score("identity", image, intensity, "psnr", 20.0 + number))
            written.append(score("unet", image, intensity, "psnr", 22.0 + 2 * number))
            written.append(score("identity", image, intensity, "lpips", 0.5))
            written.append(score("unet", image, intensity, "lpips", None, "oom"))
    write_results(run.results_parquet, written)
    return summary_table(run.results(), methods=["unet", "identity"])


def test_one_row_a_method_and_intensity_in_the_order_to_print(rows: list[dict[str, object]]) -> None:
    assert [(row["intensity"], row["method"]) for row in rows] == [
        ("light", "unet"),
        ("light", "identity"),
        ("heavy", "unet"),
        ("heavy", "identity"),
        ("all", "unet"),
        ("all", "identity"),
    ]


def test_figures_and_failures(rows: list[dict[str, object]]) -> None:
    light = rows[0]
    psnr, lpips = light["psnr"], light["lpips"]
    assert isinstance(psnr, dict)
    assert isinstance(lpips, dict)
    assert (psnr["mean"], psnr["n"], psnr["difference"]) == (24.0, 3, 3.0)
    assert psnr["low"] <= 24.0 <= psnr["high"]
    assert math.isnan(lpips["mean"])
    assert (light["failed"], light["ssim"]) == (3, None)
