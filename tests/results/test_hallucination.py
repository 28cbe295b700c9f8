from __future__ import annotations

import math
from typing import Any

import pandas as pd

from drivederain.results.hallucination import suspects


def frame(rows: dict[str, dict[str, tuple[float, float]]], region: str = "background") -> pd.DataFrame:
    """By method and picture: LPIPS of the picture, PSNR of ``region``."""
    found: list[dict[str, Any]] = []
    for method, images in rows.items():
        for image, (lpips, psnr) in images.items():
            base = {
                "dataset": "d",
                "intensity_source": "recorded",
                "intensity": "light",
                "image": image,
                "scene": image,
            }
            found.append(
                base | {"method": method, "region": "image", "metric": "lpips", "variant": "alex", "value": lpips}
            )
            found.append(base | {"method": method, "region": region, "metric": "psnr", "variant": "rgb", "value": psnr})
    return pd.DataFrame(found)


INPUT = {"a": (0.4, 30.0), "b": (0.4, 30.0), "c": (0.4, 30.0), "d": (0.4, math.inf)}
PAINTS = {"a": (0.2, 25.0), "b": (0.2, 31.0), "c": (0.5, 25.0), "d": (0.1, 40.0)}


def test_better_looks_with_less_fidelity_are_flagged() -> None:
    (found,) = suspects(frame({"identity": INPUT, "paints": PAINTS}), "d", "recorded", "all", ["identity", "paints"])
    assert (found.method, found.images, found.n, found.region) == ("paints", ("a", "d"), 4, "background")


def test_without_masks_whole_pictures_are_judged() -> None:
    scores = frame({"identity": INPUT, "paints": PAINTS}, region="image")
    (found,) = suspects(scores, "d", "recorded", "light", ["paints"])
    assert (found.images, found.region) == (("a", "d"), "image")


def test_pictures_and_methods_without_both_scores_are_left_out() -> None:
    scores = frame({"identity": INPUT, "paints": {"a": PAINTS["a"]}, "other": {"a": (0.2, 31.0)}})
    some = suspects(scores, "d", "recorded", "light", ["paints", "other", "missing"])
    assert [(found.method, found.images, found.n) for found in some] == [("paints", ("a",), 1), ("other", (), 1)]
    only = scores[scores["metric"] == "psnr"]
    assert suspects(only, "d", "recorded", "light", ["paints"]) == []
    assert suspects(scores[scores["method"] != "identity"], "d", "recorded", "light", ["paints"]) == []
