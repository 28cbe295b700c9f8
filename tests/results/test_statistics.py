from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drivederain.results.intervals import clustered_intervals
from drivederain.results.schema import RESULTS
from drivederain.results.statistics import image_scores, paired_differences, score_matrix, summarise


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """Results with plain values where a row does not say."""
    usual = {
        "run": "r",
        "method": "identity",
        "key": "k",
        "dataset": "d",
        "split": "all",
        "image": "a",
        "scene": "a",
        "intensity": "light",
        "intensity_source": "recorded",
        "borderline": False,
        "region": "image",
        "metric": "psnr",
        "variant": "rgb",
        "value": None,
        "status": "ok",
        "reason": "",
        "stage": "",
        "sample": 0,
        "size": "native",
        "weights_class": "none",
        "budget": "",
        "seen": False,
        "precision": "fp32",
    }
    made = pd.DataFrame([{**usual, **row} for row in rows], columns=RESULTS.names)
    return made.astype({"value": float})


def pick(summary: pd.DataFrame, **wanted: Any) -> dict[str, Any]:
    chosen = summary
    for name, value in wanted.items():
        chosen = chosen[chosen[name] == value]
    assert len(chosen) == 1, f"{len(chosen)} rows for {wanted}"
    return dict(chosen.iloc[0])


def test_means_and_paired_differences_by_hand() -> None:
    results = frame(
        {"image": "a", "scene": "a", "value": 20.0},
        {"image": "b", "scene": "b", "value": 22.0},
        {"image": "c", "scene": "c", "value": 27.0},
        {"method": "unet", "image": "a", "scene": "a", "value": 23.0},
        {"method": "unet", "image": "b", "scene": "b", "value": 24.0},
        {"method": "unet", "image": "c", "scene": "c", "value": None, "status": "oom"},
    )
    summary = summarise(results)
    unet = pick(summary, method="unet", intensity="light")
    assert unet["mean"] == pytest.approx(23.5)
    assert (unet["n"], unet["finite"], unet["scenes"], unet["failed"], unet["skipped"]) == (2, 2, 2, 1, 0)
    assert unet["difference"] == pytest.approx(2.5)  # (3 + 2) / 2: the picture that failed is out of both
    assert unet["difference_n"] == 2
    assert pick(summary, method="identity", intensity="light")["mean"] == pytest.approx(23.0)
    assert math.isnan(pick(summary, method="identity", intensity="light")["difference"])


def test_infinite_values_have_no_difference() -> None:
    results = frame(
        {"image": "a", "scene": "a", "value": math.inf},
        {"image": "b", "scene": "b", "value": 20.0},
        {"method": "unet", "image": "a", "scene": "a", "value": 40.0},
        {"method": "unet", "image": "b", "scene": "b", "value": 21.0},
    )
    unet = pick(summarise(results), method="unet", intensity="light")
    assert (unet["difference"], unet["difference_n"]) == (1.0, 1)


def test_data_sets_and_sources_of_the_intensity_stay_apart() -> None:
    results = frame(
        {"image": "a", "scene": "a", "value": 10.0},
        {"image": "b", "scene": "b", "intensity": "heavy", "value": 20.0},
        {"image": "c", "scene": "c", "intensity_source": "estimated", "value": 90.0},
        {"dataset": "e", "image": "a", "scene": "a", "value": 50.0},
    )
    summary = summarise(results)
    assert pick(summary, dataset="d", intensity_source="recorded", intensity="all")["mean"] == 15.0
    assert pick(summary, dataset="d", intensity_source="estimated", intensity="all")["mean"] == 90.0
    assert pick(summary, dataset="e", intensity="all")["mean"] == 50.0
    assert list(dict.fromkeys(summary["intensity"])) == ["light", "all", "heavy"]


def test_the_row_over_all_intensities_resamples_scenes_that_they_share() -> None:
    rows = [
        {"image": f"{scene}@{intensity}", "scene": str(scene), "intensity": intensity, "value": float(scene)}
        for scene in range(6)
        for intensity in ("light", "medium", "heavy")
    ]
    row = pick(summarise(frame(*rows)), intensity="all")
    assert (row["n"], row["scenes"]) == (18, 6)
    expected = clustered_intervals(np.arange(6.0)[:, None], [str(n) for n in range(6)], ("d", "recorded", "all"))
    assert (row["low"], row["high"]) == pytest.approx((expected[0][0], expected[1][0]))


def test_samples_of_one_picture_are_averaged_first() -> None:
    results = frame(
        {"image": "a", "scene": "a", "value": 10.0, "sample": 0},
        {"image": "a", "scene": "a", "value": 20.0, "sample": 1},
        {"image": "b", "scene": "b", "value": 30.0, "sample": 0},
    )
    row = pick(summarise(results), intensity="light")
    assert (row["mean"], row["n"]) == (22.5, 2)


def test_methods_keep_their_order_and_intensities_go_up() -> None:
    rows = [
        {"method": method, "image": intensity, "scene": "a", "intensity": intensity, "value": 1.0}
        for method in ("unet", "identity", "a")
        for intensity in ("heavy", "light", "medium")
    ]
    summary = summarise(frame(*rows))
    assert list(dict.fromkeys(summary["intensity"])) == ["light", "medium", "heavy", "all"]
    assert list(dict.fromkeys(summary["method"])) == ["unet", "identity", "a"]


def test_paired_differences_use_common_pictures_only() -> None:
    results = frame(
        {"method": "a", "image": "1", "scene": "1", "value": 5.0},
        {"method": "a", "image": "2", "scene": "2", "value": 7.0},
        {"method": "b", "image": "1", "scene": "1", "value": 4.0},
    )
    matrix = score_matrix(image_scores(results), "d", "recorded", "light", "image", "psnr", "rgb")
    (found,) = paired_differences(matrix, "a", ["b"], ("d", "recorded", "light")).values()
    assert (found.mean, found.n) == (1.0, 1)


def test_borderline_and_seen_pictures_are_counted_once() -> None:
    results = frame(
        {"image": "a", "scene": "a", "value": 1.0, "borderline": True, "seen": True, "sample": 0},
        {"image": "a", "scene": "a", "value": 1.0, "borderline": True, "seen": True, "sample": 1},
        {"image": "b", "scene": "b", "value": None, "status": "skipped"},
    ).astype({"image": "category"})  # as the store reads it
    row = pick(summarise(results), intensity="light")
    assert (row["borderline"], row["seen"], row["skipped"], row["failed"]) == (1, 1, 1, 0)
