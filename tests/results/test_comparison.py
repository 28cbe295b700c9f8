"""Two runs beside each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drivederain.results.comparison import Change, Comparison, compare
from drivederain.results.run_folder import RunFolder
from tests.reports.conftest import FakeRun


def made(path: Path, **changes: Any) -> RunFolder:
    gain = changes.pop("gain", {})
    run = FakeRun(**{"scenes": 8, "images": False, "failing": (), "with_real": False, **changes})
    run.gain = gain
    return run.build(path)


def change(found: Comparison, method: str, metric: str = "psnr", intensity: str = "all") -> Change:
    wanted = ("synthetic:photos", method, metric, intensity)
    return next(each for each in found.changes if (each.dataset, each.method, each.metric, each.intensity) == wanted)


def test_the_same_run_twice_is_identical(tmp_path: Path) -> None:
    found = compare(made(tmp_path / "a"), made(tmp_path / "b"))
    assert found.identical and found.changes
    assert {each.outcome for each in found.changes} == {"same"}
    assert {each.largest for each in found.changes} == {0.0}


def test_a_change_has_its_direction_size_and_interval(tmp_path: Path) -> None:
    found = compare(made(tmp_path / "a"), made(tmp_path / "b", gain={"unet": 5.0}))
    psnr, lpips, same = change(found, "unet"), change(found, "unet", "lpips"), change(found, "restormer")
    assert not found.identical
    assert (psnr.outcome, lpips.outcome, same.outcome) == ("better", "better", "same")
    assert psnr.difference.mean == pytest.approx(psnr.second - psnr.first) and psnr.difference.mean > 0.7
    assert lpips.difference.mean < 0 and lpips.direction == "lower"
    assert (psnr.images, psnr.same) == (24, 0) and psnr.largest >= psnr.difference.mean


def test_only_pictures_that_both_scored_count(tmp_path: Path) -> None:
    found = compare(made(tmp_path / "a"), made(tmp_path / "b", failing=("restormer@heavy",)))
    assert change(found, "restormer").images == 16
    assert not [each for each in found.changes if (each.method, each.intensity) == ("restormer", "heavy")]
    assert not found.identical or change(found, "unet").images == 24


def test_what_only_one_has_is_named(tmp_path: Path) -> None:
    found = compare(made(tmp_path / "a"), made(tmp_path / "b", methods=("identity", "unet"), with_second=False))
    assert "method restormer" in found.only[0] and not found.only[1]


@pytest.mark.parametrize(
    ("key", "value", "words"), [("fingerprint", "0" * 64, "other pictures"), ("size", "512", "size native")]
)
def test_other_pictures_or_sizes_are_refused(tmp_path: Path, key: str, value: str, words: str) -> None:
    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    about = json.loads(second.run_json.read_text())
    about["datasets"][0][key] = value
    second.run_json.write_text(json.dumps(about))
    found = compare(first, second)
    assert len(found.refused) == 1 and words in found.refused[0] and "synthetic:photos" in found.refused[0]
    assert "synthetic:photos" not in {each.dataset for each in found.changes} and found.changes


def test_settings_that_differ_are_listed(tmp_path: Path) -> None:
    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    about = json.loads(second.run_json.read_text())
    about["environment"]["cpu"] = "Another"
    about["version"] = "9.9"
    second.run_json.write_text(json.dumps(about))
    told = {what: (one, other) for what, one, other in compare(first, second).settings}
    assert told["machine: cpu"][1] == "Another" and told["program"][1] == "9.9"
