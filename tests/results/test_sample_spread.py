"""The spread of scores between the samples of a method."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from drivederain.results.sample_spread import sample_spreads
from drivederain.results.statistics import COLUMNS


def rows(method: str, scores: dict[str, list[float]], metric: str = "psnr", variant: str = "rgb") -> list[dict]:
    """A row a picture and sample."""
    fixed = {
        "dataset": "d", "intensity_source": "recorded", "intensity": "light", "region": "image", "metric": metric,
        "variant": variant, "method": method, "status": "ok", "seen": False, "borderline": False,
    }  # fmt: skip
    return [
        {**fixed, "image": image, "scene": image, "sample": sample, "value": value}
        for image, values in scores.items()
        for sample, value in enumerate(values)
    ]


def test_spread_of_a_picture_and_of_the_mean() -> None:
    # One picture varies by 1 (n - 1: sqrt(1)), the other by 0; the means of the samples are 20.5, 21, 21.5.
    results = pd.DataFrame(
        [*rows("a+b", {"x": [20, 21, 22], "y": [21, 21, 21]}), *rows("a", {"x": [10.0], "y": [11.0]})],
        columns=list(COLUMNS),
    )
    (spread,) = sample_spreads(results)
    assert (spread.method, spread.intensity, spread.samples, spread.images) == ("a+b", "light", 3, 2)
    assert spread.of_an_image == pytest.approx(math.sqrt((1 + 0) / 2))
    assert spread.of_the_mean == pytest.approx(0.5)
    assert (spread.low, spread.high) == (20.5, 21.5)


def test_pictures_without_a_finite_score_in_every_sample_do_not_count() -> None:
    scores = {"x": [20.0, 22.0], "lost": [20.0, math.inf], "half": [3.0]}
    (spread,) = sample_spreads(pd.DataFrame(rows("m", scores), columns=list(COLUMNS)))
    assert (spread.images, spread.low, spread.high) == (1, 20.0, 22.0)


def test_metrics_of_the_summary_alone_in_the_order_asked_for() -> None:
    results = pd.DataFrame(
        [
            *rows("m", {"x": [1.0, 2.0]}, "mse", ""),
            *rows("m", {"x": [0.1, 0.2]}, "ssim"),
            *rows("m", {"x": [1.0, 2.0]}),
            *rows("k", {"x": [1.0, 2.0]}),
        ],
        columns=list(COLUMNS),
    )
    assert [(each.method, each.metric) for each in sample_spreads(results, ["m", "k"])] == [
        ("m", "psnr"), ("m", "ssim"), ("k", "psnr"),
    ]  # fmt: skip


def test_one_sample_has_no_spread() -> None:
    assert sample_spreads(pd.DataFrame(rows("m", {"x": [1.0]}), columns=list(COLUMNS))) == []
