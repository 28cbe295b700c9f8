"""The cache of outputs: whole or not there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from drivederain.engine.cells import Cell, DamagedOutput, Failure, Output, store_png
from drivederain.results.json_lines import line_of

PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
PARTS = {"method": "unet", "options": {"a": 1}}


def store(cell: Cell, picture: str) -> None:
    sha256, size = store_png(cell.folder, picture, PIXELS)
    cell.add(
        [Output(picture, sha256, size, 1.25, 4, 5, 1, "", True, "", "AMD EPYC, 2 threads", "2026-01-01T00:00:00+00:00")]
    )


def filled(cache: Path) -> Cell:
    cell = Cell(cache, PARTS)
    store(cell, "p1")
    return cell


def test_an_output_is_found_again(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    again = Cell(tmp_path, PARTS)
    assert again.has("p1") and not again.has("p2")
    assert np.array_equal(again.read("p1"), PIXELS)
    assert again.outputs["p1"] == cell.outputs["p1"]
    assert (again.outputs["p1"].height, again.outputs["p1"].width) == (4, 5)


def test_key_json_says_what_the_key_stands_for(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    assert json.loads((cell.folder / "key.json").read_text()) == PARTS


def test_a_cell_without_results_leaves_nothing(tmp_path: Path) -> None:
    Cell(tmp_path, PARTS).score({})
    assert list(tmp_path.iterdir()) == []


def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    lines = cell.folder / "outputs.jsonl"
    lines.write_text(lines.read_text() + '{"picture":"p2","sha2')
    again = Cell(tmp_path, PARTS)
    assert set(again.outputs) == {"p1"}
    store(again, "p3")
    assert set(Cell(tmp_path, PARTS).outputs) == {"p1", "p3"}


def test_a_line_of_another_kind_is_passed_over(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    lines = cell.folder / "outputs.jsonl"
    lines.write_bytes(line_of({"picture": "old"}) + b"\n[1]\n\xff\xfe\n" + lines.read_bytes())
    assert set(Cell(tmp_path, PARTS).outputs) == {"p1"}


def test_a_damaged_output_is_named_and_taken_out(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    path = cell.path("p1")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedOutput, match=r"p1\.png was missing or damaged\. Start the same command again"):
        cell.read("p1")
    assert not cell.has("p1") and not Cell(tmp_path, PARTS).has("p1")


def test_a_failure_replaces_an_output_and_the_other_way_round(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    cell.fail(Failure("p1", "oom", "a reason\nof two lines\u2028and more \ud800", 5e9))
    again = Cell(tmp_path, PARTS)
    assert not again.has("p1") and again.failures["p1"].status == "oom" and again.failures["p1"].limit == 5e9
    assert again.failures["p1"].reason.startswith("a reason\nof two lines\u2028and more")
    store(again, "p1")
    assert again.has("p1") and "p1" not in again.failures


def test_an_overcome_failure_stays_overcome_when_the_output_is_lost(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    cell.fail(Failure("p1", "failed", "it could not"))
    store(cell, "p1")
    again = Cell(tmp_path, PARTS)
    assert again.has("p1") and again.failures == {}
    again.path("p1").unlink()
    again.reload()
    assert not again.has("p1") and again.lasting("p1") is None and again.failures == {}
    again.fail(Failure("p1", "timeout", "too long", 5.0))
    assert Cell(tmp_path, PARTS).lasting("p1") == Failure("p1", "timeout", "too long", 5.0)


def test_what_is_not_the_methods_doing_is_known_to_the_run_alone(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    cell.fail(Failure("p2", "timeout", "the 9 s of its method were over"), lasting=False)
    cell.reload()  # as when the cell is locked once more
    assert cell.failures["p2"].status == "timeout" and cell.lasting("p2") is None
    assert Cell(tmp_path, PARTS).failures == {}
    store(cell, "p2")
    assert cell.failures == {}


def test_scores_and_facts_are_kept(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    cell.score({"k1": {"image": float("inf"), "drops": 2.5}})
    cell.remember({"facts": {"parameters": 3}})
    again = Cell(tmp_path, PARTS)
    assert again.scores == {"k1": {"image": float("inf"), "drops": 2.5}}
    assert again.facts == {"facts": {"parameters": 3}}
    (cell.folder / "facts.json").write_text("{")
    assert again.facts == {}


def test_a_picture_of_another_length_is_not_there(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    cell.path("p1").write_bytes(cell.path("p1").read_bytes()[:-3])
    assert not cell.has("p1") and not Cell(tmp_path, PARTS).has("p1")


def test_what_is_not_the_methods_doing_is_not_kept(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    cell.fail(Failure("p2", "failed", "its process was killed"), lasting=False)
    assert cell.failures["p2"].reason == "its process was killed"
    assert "p2" not in Cell(tmp_path, PARTS).failures


def test_lines_of_two_runs_do_not_mix(tmp_path: Path) -> None:
    one, other = filled(tmp_path), Cell(tmp_path, PARTS)
    store(other, "p2")
    store(one, "p3")
    other.score({"k2": {"image": 1.0}})
    one.score({"k3": {"image": 2.0}})
    one.reload()
    assert set(one.outputs) == {"p1", "p2", "p3"} and set(one.scores) == {"k2", "k3"}


def test_using_a_cell_is_noted(tmp_path: Path) -> None:
    cell = filled(tmp_path)
    os.utime(cell.folder / "key.json", (0, 0))
    cell.touch()
    assert (cell.folder / "key.json").stat().st_mtime > 1e9
    Cell(tmp_path, {"method": "other"}).touch()
    assert len(list((tmp_path / "cells").iterdir())) == 1
