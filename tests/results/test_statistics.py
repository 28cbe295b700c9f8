from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from drivederain.results.schema import RESULTS
from drivederain.results.statistics import (
    clustered_intervals,
    estimates,
    image_scores,
    paired_differences,
    score_matrix,
    summarise,
)


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


def test_interval_agrees_with_scipy_where_every_picture_is_a_scene() -> None:
    values = np.random.Generator(np.random.PCG64(1)).normal(25, 3, 60)
    low, high = clustered_intervals(values[:, None], [str(n) for n in range(60)], ("d",), resamples=20_000)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=7).confidence_interval
    assert low[0] == pytest.approx(theirs.low, abs=0.05)
    assert high[0] == pytest.approx(theirs.high, abs=0.05)


def test_all_resamples_of_two_scenes_are_the_three_that_there_are() -> None:
    low, high = clustered_intervals(np.array([[1.0], [3.0]]), ["a", "b"], ("d",))
    assert (low[0], high[0]) == (1.0, 3.0)  # means 1, 2, 3 with 1/4, 1/2, 1/4


def test_interval_is_wider_than_the_naive_one_where_a_scene_s_pictures_are_alike() -> None:
    noise = np.random.Generator(np.random.PCG64(2))
    values = np.repeat(noise.normal(25, 3, 20), 5) + noise.normal(0, 0.1, 100)
    clustered = clustered_intervals(values[:, None], [str(n // 5) for n in range(100)], ("d",))
    naive = clustered_intervals(values[:, None], [str(n) for n in range(100)], ("d",))
    assert clustered[1][0] - clustered[0][0] > 1.7 * (naive[1][0] - naive[0][0])  # sqrt(5) = 2.2 times


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    noise = np.random.Generator(np.random.PCG64(3))
    values = noise.normal(0, 1, (40, 1, 400)) + noise.normal(0, 0.3, (40, 3, 400))
    scenes = [str(n // 3) for n in range(120)]
    low, high = clustered_intervals(values.reshape(120, 400), scenes, ("d",))
    covered = np.mean((low <= 0) & (high >= 0))
    assert 0.90 <= covered <= 0.97  # the percentile interval is slightly short at 40 scenes


def test_same_names_give_the_same_interval_and_others_another() -> None:
    values, scenes = np.arange(10.0)[:, None] ** 2, [str(n) for n in range(10)]
    first = clustered_intervals(values, scenes, ("d", "light"))
    assert first == clustered_intervals(values, scenes, ("d", "light"))
    assert first != clustered_intervals(values, scenes, ("d", "heavy"))
    order = np.random.Generator(np.random.PCG64(4)).permutation(10)
    assert first == clustered_intervals(values[order], [scenes[n] for n in order], ("d", "light"))


def test_columns_do_not_disturb_each_other() -> None:
    values = np.random.Generator(np.random.PCG64(5)).random((12, 3))
    values[0:2, 1] = np.nan
    scenes = [str(n // 2) for n in range(12)]
    together = clustered_intervals(values, scenes, ("d",))
    for column in range(3):
        alone = clustered_intervals(values[:, [column]], scenes, ("d",))
        assert together[0][column] == pytest.approx(alone[0][0], abs=1e-12)
        assert together[1][column] == pytest.approx(alone[1][0], abs=1e-12)


def test_infinite_values_are_counted_and_left_out_of_the_mean() -> None:
    inf = math.inf
    some, every, none = estimates(
        np.array([[20.0, inf, np.nan], [inf, inf, np.nan], [30.0, inf, np.nan]]), ["a", "b", "c"], ("d",)
    )
    assert (some.mean, some.n, some.finite, some.scenes) == (25.0, 3, 2, 2)
    assert (every.mean, every.n, every.finite) == (inf, 3, 0)
    assert math.isnan(every.low)
    assert math.isnan(none.mean)
    assert none.n == 0


def test_infinite_values_have_no_difference() -> None:
    results = frame(
        {"image": "a", "scene": "a", "value": math.inf},
        {"image": "b", "scene": "b", "value": 20.0},
        {"method": "unet", "image": "a", "scene": "a", "value": 40.0},
        {"method": "unet", "image": "b", "scene": "b", "value": 21.0},
    )
    unet = pick(summarise(results), method="unet", intensity="light")
    assert (unet["difference"], unet["difference_n"]) == (1.0, 1)


def test_one_scene_has_no_interval() -> None:
    (only,) = estimates(np.array([[1.0], [2.0]]), ["a", "a"], ("d",))
    assert only.mean == 1.5
    assert math.isnan(only.low)
    assert math.isnan(only.high)
    assert not only.tells_apart


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
