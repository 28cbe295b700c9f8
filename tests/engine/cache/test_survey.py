"""What lies in a cache, found without following links."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from drivederain.engine.cache.survey import survey
from drivederain.errors import DataError
from drivederain.results.json_lines import line_of


def test_cells_are_listed_with_what_they_hold_the_last_used_first(made: Any) -> None:
    old = made.cell(3, age=100, weights="b" * 64)
    before = {"method": "unet", "before": None}
    new = made.cell(1, method="diffusion", before=before)
    with (old / "failures.jsonl").open("wb") as file:
        for picture in ("p0", "p7", "p8", "p8"):  # p0 was restored later
            file.write(line_of({"picture": picture, "status": "failed", "reason": "x"}) + b"\n")
        file.write(line_of({"picture": "p9", "status": "failed", "reason": "x"}) + b"\n")
        file.write(line_of({"picture": "p9", "status": "ok", "reason": ""}) + b"\n")  # restored, and lost since
    found = survey(made.path)
    assert [cell.chain for cell in found.cells] == ["unet+diffusion", "unet"]
    second = found.cells[1]
    assert (second.key, second.pictures, second.failures, second.scores) == (old.name, 3, 2, 1)
    assert second.bytes == sum(path.stat().st_size for path in old.rglob("*") if path.is_file())
    assert second.used == pytest.approx(time.time() - 100, abs=5)
    assert found.cells[0].path == new


def test_totals_are_by_kind(made: Any) -> None:
    made.cell()
    paths = [made.input(), made.content(), made.stratum(), made.weights()]
    found = survey(made.path)
    counts = {name: total.count for name, total in found.totals().items()}
    assert counts == {"cells": 1, "inputs": 1, "contents": 1, "strata": 1, "weights": 1, "leftovers": 0}
    assert found.totals()["weights"].bytes == paths[3].stat().st_size
    assert found.bytes == sum(path.stat().st_size for path in made.path.rglob("*") if path.is_file())


def test_a_cell_with_a_damaged_key_is_listed_as_unknown(made: Any) -> None:
    for number, damage in enumerate(("{", "[1]", None)):
        file = made.cell(threads=number) / "key.json"
        file.unlink() if damage is None else file.write_text(damage)
    cells = survey(made.path).cells
    assert len(cells) == 3 and {(cell.chain, cell.parts) for cell in cells} == {("", None)}


def test_times_in_the_future_count_as_now(made: Any) -> None:
    made.cell(age=-10_000_000)
    made.input(age=-10_000_000)
    found = survey(made.path)
    assert all(entry.used <= time.time() for entry in found.entries)


def test_links_are_named_and_not_followed(made: Any, tmp_path: Path) -> None:
    cell = made.cell()
    outside = tmp_path / "outside"
    (outside / "ab" / ("ab" * 32)).mkdir(parents=True)
    (outside / "ab" / ("ab" * 32) / "key.json").write_text('{"method": "unet"}')
    (made.path / "inputs").symlink_to(outside)
    (made.path / "cells" / "ab").symlink_to(outside / "ab")
    (cell / "pictures" / "linked.png").symlink_to(outside / "ab" / ("ab" * 32) / "key.json")
    found = survey(made.path)
    assert [entry.path for entry in found.entries] == [cell] and found.cells[0].pictures == 2
    assert len(found.links) == 3


def test_what_killed_processes_left_is_found_once_it_is_old(made: Any) -> None:
    cell = made.cell()
    left = [
        cell / "pictures" / ".p9.png.ab_d12fg",
        cell.parent / f".{'e' * 64}.0a1b2c3d",
        made.content().parent / ".cc.json.abcdefgh",
    ]
    left[0].write_bytes(b"half")
    left[1].mkdir()
    (left[1] / "key.json").write_text("{}")
    left[2].write_bytes(b"")
    assert survey(made.path).leftovers == []
    for path, age in zip(left, (4000, 4000, -4000), strict=True):
        made.touch(path, age)
    found = survey(made.path)
    assert {entry.path for entry in found.leftovers} == set(left)
    assert found.totals()["leftovers"].bytes == 6
    assert found.cells[0].pictures == 2


def test_an_empty_cell_is_left_over_once_it_is_old(made: Any) -> None:
    empty = made.cell().parents[1] / "ee" / ("e" * 64)
    empty.mkdir(parents=True)
    (empty / "lock").write_bytes(b"")
    assert len(survey(made.path).cells) == 1 and survey(made.path).leftovers == []
    made.touch(empty, 4000)
    assert [entry.path for entry in survey(made.path).leftovers] == [empty]


def test_other_peoples_files_are_left_alone(made: Any) -> None:
    made.cell()
    for path in (made.path / ".notes.txt.abcdefgh", made.path / "cells" / "readme.txt", made.path / "mine" / "x"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        made.touch(path, 10_000)
    found = survey(made.path)
    assert len(found.entries) == 1 and found.leftovers == []


def test_no_cache_no_folder_and_no_files(tmp_path: Path) -> None:
    assert survey(tmp_path / "none").entries == []
    (tmp_path / "empty").mkdir()
    assert survey(tmp_path / "empty").entries == []


def test_a_folder_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"does not look like a cache.*--cache"):
        survey(tmp_path)
    with pytest.raises(DataError, match="is a file"):
        survey(tmp_path / "holiday.jpg")


def test_two_thousand_cells_take_seconds(made: Any) -> None:
    for number in range(2000):
        made.cell(1, seed=number)
    began = time.process_time()
    assert len(survey(made.path).cells) == 2000
    assert time.process_time() - began < 5


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_an_error(made: Any) -> None:
    pictures = made.cell() / "pictures"
    pictures.chmod(0)
    try:
        with pytest.raises(PermissionError):
            survey(made.path)
    finally:
        pictures.chmod(0o700)
