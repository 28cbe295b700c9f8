"""Clear pictures as input: a test set of their own, which changes nothing in the others."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest


def test_clear_pictures_are_restored_and_scored_as_a_set_of_their_own(bench: Any, pairs: Path) -> None:
    without = bench("brighten", f"paired:{pairs}", metrics=("psnr", "ssim"))
    outcome = bench("brighten", f"paired:{pairs}", metrics=("psnr", "ssim"), clear_input=2)
    results = outcome.folder.results()
    rainy = results[results["dataset"] == "paired:pairs"].reset_index(drop=True)
    assert (
        rainy.drop(columns="run")
        .astype(object)
        .equals(without.folder.results().drop(columns="run").astype(object).reset_index(drop=True))
    )
    clear = results[results["dataset"] == "paired:pairs (clear input)"]
    assert set(clear["intensity"]) == {"clear"} and clear["image"].nunique() == 2
    assert all(name.endswith("@clear") for name in clear["image"])
    psnr = clear[clear["metric"] == "psnr"].set_index("method")["value"]
    assert np.isinf(psnr["identity"]).all() and np.isfinite(psnr["brighten"]).all()
    assert set(clear["region"]) == {"image"}, "there are no drops"
    about = {each["name"]: each for each in outcome.folder.about()["datasets"]}
    assert about["paired:pairs (clear input)"]["clear_input_of"] == "paired:pairs"
    assert about["paired:pairs"] == {each["name"]: each for each in without.folder.about()["datasets"]}["paired:pairs"]
    assert outcome.folder.about()["protocol"]["clear_input"] == 2


def test_rainy_pictures_that_are_known_are_not_restored_again(bench: Any, pairs: Path, calls: Any) -> None:
    bench("brighten", f"paired:{pairs}")
    outcome = bench("brighten", f"paired:{pairs}", clear_input=2)
    restored = {one["name"]: one["restored_now"] for one in outcome.folder.about()["methods"]}
    assert restored["brighten"] == 2


def test_each_photograph_is_in_it_once_and_the_choice_is_stable(bench: Any) -> None:
    few = bench("brighten", "scenes:", limit=3, size=64, clear_input=2).folder.results()
    chosen = sorted(few[few["intensity"] == "clear"]["image"].unique())
    every = bench("brighten", "scenes:", limit=3, size=64, clear_input=9).folder.results()
    clear = sorted(every[every["intensity"] == "clear"]["image"].unique())
    assert len(clear) == 3 and len(chosen) == 2 and set(chosen) < set(clear)


def test_without_truth_there_is_no_clear_input(bench: Any, pairs: Path) -> None:
    outcome = bench("brighten", f"real:{pairs / 'rainy'}", clear_input=3)
    assert set(outcome.folder.results()["dataset"]) == {"real:rainy"}


@pytest.mark.parametrize("again", [False, True])
def test_the_same_run_gives_the_same_bytes(bench: Any, pairs: Path, again: bool) -> None:
    first = bench("brighten", f"paired:{pairs}", clear_input=2)
    second = bench("brighten", f"paired:{pairs}", clear_input=2, overwrite="always" if again else "never")
    assert first.folder.results_parquet.read_bytes() == second.folder.results_parquet.read_bytes()


@pytest.mark.parametrize("same", [True, False], ids=["the same pixels in other files", "other pixels"])
def test_two_files_that_would_have_one_name(bench: Any, tmp_path: Path, same: bool) -> None:
    root, lines = tmp_path / "pairs", ["image,intensity"]
    for number, (intensity, suffix) in enumerate((("light", ".png"), ("heavy", ".bmp"))):
        for folder, level in (("rainy", 90 + number), ("clear", 120 if same else 120 + number)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            data = cv2.imencode(suffix, np.full((24, 32, 3), level, np.uint8))[1]
            (root / folder / f"b@{intensity}{suffix}").write_bytes(data.tobytes())
        lines.append(f"b@{intensity},{intensity}")
    (root / "intensity.csv").write_text("\n".join(lines) + "\n")
    outcome = bench("brighten", f"paired:{root}", clear_input=5)
    results = outcome.folder.results()
    images = set(results[results["intensity"] == "clear"]["image"])
    assert outcome.exit_status == 0
    assert images == {"b@clear"} if same else len(images) == 2 and all(name.startswith("b@clear-") for name in images)


def test_a_method_that_needs_a_mask_gets_one_without_drops(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    root = make_pairs(tmp_path / "masked", masks=True)
    outcome = bench("inpaint", f"paired:{root}", clear_input=3, options={"inpaint": {"drops": "mask"}})
    results = outcome.folder.results()
    clear = results[results["intensity"] == "clear"]
    assert outcome.exit_status == 0 and set(clear["status"]) == {"ok"} and set(clear["region"]) == {"image"}
    assert set(clear[clear["metric"] == "psnr"]["value"]) == {math.inf}, "without drops there is nothing to fill"
    assert not list((outcome.folder.path / "images").rglob("*clear_input*/*/mask.png"))
