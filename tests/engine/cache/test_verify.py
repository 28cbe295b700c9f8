"""Damage of each kind is found, and taken out by a repair."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivederain.engine.cache.findings import Findings
from drivederain.engine.cache.survey import survey
from drivederain.engine.cache.verify import steps, verify
from drivederain.results.json_lines import line_of, record_of


def check(made: Any, *, repair: bool = False) -> Findings:
    return verify(survey(made.path), repair=repair)


def told(made: Any, findings: Findings) -> dict[str, str]:
    """What is damaged in which file, from its last two names on."""
    return {"/".join(damage.path.parts[-2:]): damage.what for damage in findings.damages}


def test_a_whole_cache_has_no_damage(made: Any) -> None:
    made.cell(3), made.input(), made.content(), made.stratum(), made.weights()
    before = {path: path.read_bytes() for path in made.path.rglob("*") if path.is_file()}
    findings = check(made)
    assert findings.damages == [] and findings.notes == []
    assert findings.checked == {"cells": 1, "pictures": 3, "inputs": 1, "contents": 1, "strata": 1, "weights": 1}
    assert {path: path.read_bytes() for path in made.path.rglob("*") if path.is_file()} == before


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def test_pictures_that_are_not_what_was_written(made: Any) -> None:
    cell = made.cell(4)
    cut(cell / "pictures" / "p0.png")
    (cell / "pictures" / "p1.png").unlink()
    (cell / "pictures" / "p2.png").unlink()
    (cell / "pictures" / "p2.png").mkdir()
    findings = check(made)
    assert told(made, findings) == {
        "pictures/p0.png": "is not what was written (SHA-256 differs)",
        "pictures/p1.png": "is missing",
        "pictures/p2.png": "cannot be read (Is a directory)",
    }
    assert len(findings.remaining) == 3
    (cell / "pictures" / "p2.png").rmdir()
    assert check(made, repair=True).remaining == []
    assert [json.loads(line)["picture"] for line in (cell / "outputs.jsonl").read_text().splitlines()] == ["p3"]
    assert [path.name for path in (cell / "pictures").iterdir()] == ["p3.png"]
    assert check(made).damages == []


def test_an_output_that_was_taken_out_by_a_failure_is_no_damage(made: Any) -> None:
    cell = made.cell(2)
    (cell / "pictures" / "p0.png").unlink()
    failure = {"picture": "p0", "status": "oom", "reason": "x", "limit": None}
    (cell / "failures.jsonl").write_bytes(line_of(failure) + b"\n")
    assert check(made).damages == []


def test_the_last_line_of_a_picture_counts(made: Any) -> None:
    cell = made.cell(1)
    good = (cell / "outputs.jsonl").read_bytes()
    earlier = line_of({"picture": "p0", "sha256": "of an earlier output"})
    (cell / "outputs.jsonl").write_bytes(earlier + b"\n" + good)
    assert check(made).damages == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("outputs.jsonl", b'{"picture":"p9","sha2'),
        ("outputs.jsonl", b"[1]\n"),
        ("outputs.jsonl", b'{"picture":"p9","sha256":"x"}\n'),  # no check sum
        ("outputs.jsonl", line_of({"picture": "p9"}) + b"\n"),
        ("outputs.jsonl", line_of({"picture": "../../key", "sha256": "x"}) + b"\n"),
        ("outputs.jsonl", b"\xff\xfe\n"),
        ("outputs.jsonl", b"[" * 100_000 + b"\n"),
        ("failures.jsonl", line_of({"status": "oom"}) + b"\n"),
        ("scores.jsonl", line_of({"key": "s", "regions": 1}) + b"\n"),
    ],
)
def test_lines_that_cannot_be_read(made: Any, file: str, line: bytes) -> None:
    path = made.cell() / file
    good = path.read_bytes() if path.exists() else b""
    path.write_bytes(good + line)
    number = good.count(b"\n") + 1
    assert told(made, check(made)) == {f"{path.parent.name}/{file}": f"1 line cannot be read (line {number})"}
    assert check(made, repair=True).remaining == []
    assert path.read_bytes() == good and check(made).damages == []


def test_lines_with_more_or_fewer_keys_than_today_are_whole(made: Any) -> None:
    cell = made.cell(1)
    line = record_of((cell / "outputs.jsonl").read_bytes().strip()) or {}
    (cell / "outputs.jsonl").write_bytes(line_of(line | {"of_another_version": 1}))
    assert check(made).damages == []


def test_a_damaged_key_is_taken_out_and_the_outputs_stay(made: Any) -> None:
    cell = made.cell()
    (cell / "key.json").write_text("{")
    assert told(made, check(made)) == {f"{cell.name}/key.json": "cannot be read"}
    check(made, repair=True)
    assert not (cell / "key.json").exists() and (cell / "pictures" / "p0.png").is_file()
    findings = check(made)
    assert findings.damages == [] and "has lost its key.json" in findings.notes[0]


def test_a_cell_under_another_cells_name_goes_as_a_whole(made: Any) -> None:
    cell = made.cell()
    (cell / "key.json").write_text(json.dumps({**made.parts, "threads": 99}))
    assert told(made, check(made)) == {f"{cell.name}/key.json": "does not hash to the name of its folder"}
    check(made, repair=True)
    assert list(cell.parent.iterdir()) == []


def test_damaged_facts(made: Any) -> None:
    cell = made.cell()
    cut(cell / "facts.json")
    assert told(made, check(made)) == {f"{cell.name}/facts.json": "cannot be read"}
    assert check(made, repair=True).remaining == [] and not (cell / "facts.json").exists()


def test_pictures_without_lines_are_harmless(made: Any) -> None:
    cell = made.cell()
    (cell / "pictures" / "orphan.png").write_bytes(b"")
    findings = check(made, repair=True)
    assert findings.damages == [] and "1 picture without a line" in findings.notes[0]
    assert (cell / "pictures" / "orphan.png").is_file()


def unfinished(folder: Path) -> None:
    (folder / "parameters.json").unlink()


def outside(folder: Path) -> None:
    (folder / "parameters.json").write_bytes(line_of({"parameters": {}, "files": {"../../x": "y"}}))


@pytest.mark.parametrize(
    ("harm", "file", "what"),
    [
        (lambda folder: cut(folder / "rainy.png"), "rainy.png", "is not what was written"),
        (lambda folder: (folder / "rainy.png").unlink(), "rainy.png", "is missing"),
        (lambda folder: cut(folder / "parameters.json"), "parameters.json", "cannot be read"),
        (outside, "parameters.json", "outside its folder"),
    ],
)
def test_damaged_inputs(made: Any, harm: Callable[[Path], None], file: str, what: str) -> None:
    folder = made.input()
    harm(folder)
    (damage,) = check(made).damages
    assert damage.path == folder / file and what in damage.what
    assert check(made, repair=True).remaining == [] and not folder.exists()


def test_an_unfinished_input_is_harmless(made: Any) -> None:
    unfinished(made.input())
    findings = check(made)
    assert findings.damages == [] and "is unfinished" in findings.notes[0]


@pytest.mark.parametrize("changed", [{"height": 0}, {"width": "5"}, {"sha256": "short"}, {"height": True}])
def test_damaged_contents(made: Any, changed: dict[str, Any]) -> None:
    path = made.content(**changed)
    assert [damage.path for damage in check(made).damages] == [path]
    assert check(made, repair=True).remaining == [] and not path.exists()


@pytest.mark.parametrize("changed", [{"intensity": "wet"}, {"borderline": 1}, {"source": None}])
def test_damaged_strata(made: Any, changed: dict[str, Any]) -> None:
    path = made.stratum(**changed)
    assert [damage.path for damage in check(made).damages] == [path]
    assert check(made, repair=True).remaining == [] and not path.exists()


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("write", ["content", "stratum", "cell", "input", "weights"])
def test_a_bit_that_flipped_is_damage(made: Any, write: str) -> None:
    written = getattr(made, write)()
    file = {"cell": written / "facts.json", "input": written / "parameters.json"}.get(write, written)
    for place in range(len(file.read_bytes())):
        flip(file, place)
        assert [damage.path for damage in check(made).damages] == [file], place
        flip(file, place)
    assert check(made).damages == []


def test_damaged_weights_are_put_aside(made: Any) -> None:
    path = made.weights()
    cut(path)
    (damage,) = check(made).damages
    assert damage.path == path and "not in the safetensors layout" in damage.what
    assert check(made, repair=True).remaining == []
    assert [file.suffix for file in path.parent.iterdir()] == [".damaged"]
    assert "1 leftover" in check(made).notes[0]


def test_a_cell_in_use_is_left_alone(made: Any, held: Any) -> None:
    cell, other = made.cell(), made.cell(threads=2)
    for each in (cell, other):
        cut(each / "pictures" / "p0.png")
    with held(cell):
        for repair in (False, True):
            findings = check(made, repair=repair)
            assert findings.in_use == [cell]
            assert {damage.path for damage in findings.damages} == {other / "pictures" / "p0.png"}
    assert (cell / "pictures" / "p0.png").is_file()
    assert len(check(made).remaining) == 1


def test_links_are_not_followed(made: Any, tmp_path: Path) -> None:
    cell = made.cell()
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "p0.png").write_bytes((cell / "pictures" / "p0.png").read_bytes())
    (cell / "pictures" / "p0.png").unlink()
    (cell / "pictures" / "p0.png").symlink_to(secret / "p0.png")
    whole = made.cell(threads=2)
    (whole / "pictures").rename(tmp_path / "moved")
    (whole / "pictures").symlink_to(tmp_path / "moved")
    findings = check(made, repair=True)
    assert {"/".join(damage.path.parts[-2:]) for damage in findings.damages} == {
        "pictures/p0.png",
        f"{whole.name}/pictures",
    }
    assert len([note for note in findings.notes if "is a link: not followed" in note]) == 2
    assert (secret / "p0.png").is_file() and len(list((tmp_path / "moved").iterdir())) == 2
    assert check(made).damages == [] and survey(made.path).links == []


def test_progress_reaches_its_end(made: Any) -> None:
    made.cell(3), made.input(), made.content()
    seen: list[int] = []
    found = survey(made.path)
    verify(found, advance=seen.append)
    assert seen == sorted(seen) and seen[-1] == steps(found) == 6
