"""What a stage added, and how often it did harm."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from drivederain.results.stage_gains import stage_gains
from drivederain.results.statistics import COLUMNS

SCENES = "abcd"


def table(scores: dict[tuple[str, str], list[float]], **more: Any) -> pd.DataFrame:
    """Results of PSNR by method and intensity, a value a scene."""
    fixed = {
        "dataset": "d", "intensity_source": "recorded", "region": "image", "metric": "psnr", "variant": "rgb",
        "sample": 0, "status": "ok", "seen": False, "borderline": False, **more,
    }  # fmt: skip
    rows = [
        {
            **fixed,
            "method": method,
            "intensity": intensity,
            "image": f"{scene}@{intensity}",
            "scene": scene,
            "value": value,
        }
        for (method, intensity), values in scores.items()
        for scene, value in zip(SCENES, values, strict=False)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_a_chain_is_held_against_its_own_beginning_on_the_same_pictures() -> None:
    results = table(
        {
            ("identity", "light"): [10.0] * 4,
            ("unet", "heavy"): [20.0, 21, 22, 23],
            ("unet", "light"): [30.0, 30, 30, 30],
            ("unet+x", "light"): [31.0, 30, 29, 34],
            ("unet+x", "heavy"): [20.5, 21.5, 22.5, 23.5],
            ("unet+x+y", "light"): [31.0, 31, 31],
        }
    )
    found = {(gain.chain, gain.before, gain.intensity): gain for gain in stage_gains(results)}
    assert list(found) == [
        ("unet+x", "unet", "light"), ("unet+x", "unet", "heavy"), ("unet+x", "unet", "all"),
        ("unet+x+y", "unet+x", "light"), ("unet+x+y", "unet+x", "all"),
    ]  # fmt: skip
    light = found["unet+x", "unet", "light"]
    assert (light.gain.mean, light.gain.n, light.hurt) == (1.0, 4, 1)
    assert light.gain.low < 1 < light.gain.high
    heavy = found["unet+x", "unet", "heavy"]
    assert (heavy.gain.mean, heavy.gain.low, heavy.hurt) == (0.5, 0.5, 0)
    assert (found["unet+x", "unet", "all"].gain.mean, found["unet+x", "unet", "all"].hurt) == (0.75, 1)
    last = found["unet+x+y", "unet+x", "light"]
    assert (last.gain.n, last.gain.mean, last.hurt) == (3, pytest.approx(1.0), 0), (
        "pictures that only one has are left out"
    )


def test_a_chain_whose_beginning_was_not_scored_has_no_gain() -> None:
    assert stage_gains(table({("unet+x", "light"): [30.0] * 4, ("other", "light"): [20.0] * 4})) == []


def test_chains_come_in_the_order_that_is_asked_for() -> None:
    results = table({(name, "light"): [20.0] * 4 for name in ("a", "a+b", "a+c")})
    assert [gain.chain for gain in stage_gains(results, ["a+c", "a", "a+b"])] == ["a+c", "a+c", "a+b", "a+b"]


def test_other_metrics_and_failed_pictures_do_not_count() -> None:
    good = table({("u", "light"): [20.0] * 4, ("u+x", "light"): [21.0] * 4})
    failed = table({("u+x", "heavy"): [1.0] * 4, ("u", "heavy"): [2.0] * 4}, status="failed")
    other = table({("u+x", "medium"): [0.1] * 4, ("u", "medium"): [0.2] * 4}, metric="lpips", variant="alex")
    found = stage_gains(pd.concat([good, failed, other]))
    assert [(gain.intensity, gain.gain.mean) for gain in found] == [("light", 1.0), ("all", 1.0)]


def test_pictures_without_a_finite_difference_neither_gain_nor_are_hurt() -> None:
    results = table({("u", "light"): [float("inf"), 20.0, 20.0, 20.0], ("u+x", "light"): [30.0, 19.0, 21.0, 22.0]})
    (light, _) = stage_gains(results)
    assert (light.gain.finite, light.hurt) == (3, 1)
