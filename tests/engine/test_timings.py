"""Latency is of pictures that were timed alone, throughput of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from drivederain.engine.energy import EnergyMeter
from drivederain.engine.worker import restoring


def timing(outcome: Any, method: str = "tiny") -> Any:
    table = outcome.folder.timings()
    return table[table["method"] == method].iloc[0]


@pytest.mark.parametrize(("pictures", "alone"), [(9, 5), (46, 20)])
def test_some_are_timed_alone(bench: Any, make_pairs: Any, tmp_path: Path, pictures: int, alone: int) -> None:
    root = make_pairs(tmp_path / "pairs", pictures)
    other = make_pairs(tmp_path / "other", 3, first=100)
    row = timing(bench("tiny", f"paired:{root}", train_data=f"paired:{other}"))
    assert (row["images"], row["alone_images"], row["batch"]) == (pictures, alone, 1)
    assert (row["height"], row["width"]) == (24, 32)
    assert 0 < row["median_ms"] <= row["p95_ms"]
    assert row["images_per_s"] > 0 and row["peak_memory_mb"] > 50
    convolutions = 3 * 2 * 9 + 2 * 3  # of 3x3 and of 1x1, multiplications a pixel
    assert row["flops"] == 2 * convolutions * 24 * 32
    assert row["parameters"] == convolutions + 2 + 3
    assert "thread" in row["hardware"]


def test_what_was_timed_before_is_kept(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    few = make_pairs(tmp_path / "few" / "pairs", 6)
    first = timing(bench("blur", f"paired:{few}"), "blur")
    more = make_pairs(tmp_path / "more" / "pairs", 12)
    second = timing(bench("blur", f"paired:{more}"), "blur")
    assert (first["alone_images"], second["alone_images"]) == (3, 6)
    again = timing(bench("blur", f"paired:{more}"), "blur")
    assert again["median_ms"] == second["median_ms"] and again["measured_at"] == second["measured_at"]


def test_batches_have_a_latency_of_one_picture(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    root = make_pairs(tmp_path / "pairs", 8)
    row = timing(bench("blur", f"paired:{root}", batch=4), "blur")
    assert (row["batch"], row["alone_images"]) == (4, 2)
    assert pd.notna(row["median_ms"])


def test_a_counter_that_stopped_is_told_of(
    bench: Any, make_pairs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meters = []

    class StopsFirst(EnergyMeter):
        def __init__(self, device: torch.device) -> None:
            super().__init__(device)
            self.reason = "" if meters else "the energy counter stopped"
            meters.append(self)

    monkeypatch.setattr(restoring, "EnergyMeter", StopsFirst)
    outcome = bench("blur", f"paired:{make_pairs(tmp_path / 'pairs', 4)}")
    reasons = {method["name"]: method["not_measured"].get("energy") for method in outcome.folder.about()["methods"]}
    assert len(meters) > 2 and reasons["identity"] == "the energy counter stopped"


def test_data_sets_have_their_own_throughput(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    sources = [f"paired:{make_pairs(tmp_path / name / name, 8, first=first)}" for name, first in (("a", 0), ("b", 50))]
    outcome = bench("slow", sources[0])
    outcome = bench("slow,blur", *sources)
    table = outcome.folder.timings().set_index(["method", "dataset"])
    assert all(1 < table.loc[("slow", f"paired:{name}"), "images_per_s"] < 1 / 0.6 for name in ("a", "b"))
    facts = [json.loads(path.read_text()) for path in (bench.folder / "cache").glob("cells/*/*/facts.json")]
    counted = sorted(sorted(part["images"] for part in each["throughput"].values()) for each in facts)
    assert counted == [[4, 4], [4, 4], [4, 4]]


def test_sizes_are_warmed_up_before_they_are_timed(bench: Any, make_pairs: Any, calls: Any, tmp_path: Path) -> None:
    root = make_pairs(tmp_path / "pairs", 4, odd=(1,))
    bench("blur", f"paired:{root}")
    assert calls["Blur"] == 4 + 2
