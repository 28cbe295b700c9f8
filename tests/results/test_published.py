"""Published scores stand beside measured ones of the same set, metric and variant, and no others."""

from __future__ import annotations

import math

import pandas as pd

from drivederain.results.published import published_beside


def summary(**changes: object) -> pd.DataFrame:
    row = {
        "dataset": "Rain100H", "intensity": "all", "region": "image", "method": "prenet", "metric": "psnr_y",
        "variant": "prenet", "mean": 29.92, "low": 29.1, "high": 30.7, "finite": 100,
    }  # fmt: skip
    return pd.DataFrame([row | changes])


METHOD = {
    "name": "prenet",
    "published": [
        {"dataset": "Rain100H", "metric": "psnr_y[prenet]", "value": 29.46, "source": "its paper"},
        {"dataset": "Rain100L", "metric": "psnr_y[prenet]", "value": 37.48, "source": "its paper"},
    ],
}


def test_the_same_is_compared_with_the_same() -> None:
    (found,) = published_beside([METHOD, {"name": "unet"}], summary())
    assert (found.published, found.mean, found.finite, found.source) == (29.46, 29.92, 100, "its paper")
    assert math.isclose(found.difference, 0.46)


def test_nothing_else_is_compared() -> None:
    for changes in (
        {"variant": "mprnet"},
        {"metric": "ssim_y"},
        {"dataset": "Rain200H"},
        {"method": "unet+prenet"},
        {"region": "drops"},
        {"intensity": "light"},
        {"mean": float("nan")},
    ):
        assert published_beside([METHOD], summary(**changes)) == []
