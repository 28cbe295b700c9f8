"""Batches are cut from the data alone; the default of one makes an output depend on its picture alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest


def in_batch_of(outcome: Any) -> dict[str, int]:
    """The number that ``counts`` wrote into each output."""
    found = {}
    for folder in sorted((outcome.folder.path / "images" / "paired_pairs").iterdir()):
        path = folder / "counts.png"
        if path.exists():
            found[folder.name] = int(cv2.imread(str(path))[0, 0, 0])
    return found


@pytest.fixture
def five(make_pairs: Any, tmp_path: Path) -> Path:
    return make_pairs(tmp_path / "pairs", 5)


def test_pictures_of_one_size_go_together(bench: Any, five: Path) -> None:
    outcome = bench("counts", f"paired:{five}", batch=2)
    assert sorted(in_batch_of(outcome).values()) == [1, 2, 2, 2, 2]
    assert set(in_batch_of(bench("counts", f"paired:{five}")).values()) == {1}
    about = outcome.folder.about()
    assert about["protocol"]["batch"] == 2


def test_sizes_are_not_mixed(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    mixed = make_pairs(tmp_path / "pairs", 4, odd=(0, 1, 2))
    assert sorted(in_batch_of(bench("counts", f"paired:{mixed}", batch=4)).values()) == [1, 3, 3, 3]


def test_a_batch_of_which_one_is_missing_is_done_again(bench: Any, five: Path) -> None:
    whole = bench("counts", f"paired:{five}", batch=2)
    cells = [
        path for path in (bench.folder / "cache" / "cells").glob("*/*") if "Counts" in (path / "key.json").read_text()
    ]
    next(iter(sorted((cells[0] / "pictures").glob("*.png")))).unlink()
    again = bench("counts", f"paired:{five}", batch=2)
    assert again.restored_now == 2
    assert again.folder.results_parquet.read_bytes() == whole.folder.results_parquet.read_bytes()


def test_an_output_counts_only_for_its_own_batch(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    few = make_pairs(tmp_path / "pairs", 4)
    bench("counts", f"paired:{few}", batch=4)
    more = make_pairs(tmp_path / "more" / "pairs", 6)
    grown = bench("counts", f"paired:{more}", batch=4)
    fresh = type(bench)(tmp_path / "fresh", bench.registry)("counts", f"paired:{more}", batch=4)
    assert grown.folder.results_parquet.read_bytes() == fresh.folder.results_parquet.read_bytes()


def test_one_bad_picture_does_not_take_its_batch_with_it(bench: Any, five: Path) -> None:
    for kind in ("rainy", "clear"):
        path = five / kind / "p002.png"
        pixels = cv2.imread(str(path))
        pixels[:, 0] = 255
        path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(pixels))[1].tobytes())
    outcome = bench("counts", f"paired:{five}", batch=5)
    results = outcome.folder.results()
    rows = results[(results["method"] == "counts") & (results["metric"] == "psnr")]
    assert dict(zip(rows["image"], rows["status"], strict=True)) == {
        "p000": "ok", "p001": "ok", "p002": "failed", "p003": "ok", "p004": "ok",
    }  # fmt: skip
    assert set(rows[rows["status"] == "ok"]["stepped_down"]) == {"batch 5→1"}
