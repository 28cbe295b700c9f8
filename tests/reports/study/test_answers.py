"""Files of answers are believed only as far as the page could have saved them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder
from drivederain_reports.study.answers import read_answers
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.key import Key, read_key
from drivederain_reports.study.new import new_study
from tests.reports.study.made_up_answers import answers, write_answers


@pytest.fixture
def key(run: RunFolder) -> Key:
    new_study(run, questions=6, checks=2)
    return read_key(StudyFolder.of(run).key)


def test_what_the_page_saves_is_read(key: Key, tmp_path: Path) -> None:
    found = read_answers(write_answers(tmp_path, answers(key, 7)), key)
    assert found.rater == "00000007" and len(found.answers) == 8


def test_text_that_was_pasted_with_a_byte_order_mark_and_blanks_is_read(key: Key, tmp_path: Path) -> None:
    path = tmp_path / "pasted.txt"
    path.write_text("\ufeff\n  " + json.dumps(answers(key, 7), indent=1) + "\n\n", encoding="utf-8")
    assert len(read_answers(path, key).answers) == 8


def test_a_study_that_was_not_finished_counts_as_far_as_it_goes(key: Key, tmp_path: Path) -> None:
    made = answers(key, 7)
    assert len(read_answers(write_answers(tmp_path, {**made, "answers": made["answers"][:3]}), key).answers) == 3


def change(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda made: made["answers"][1].update(values)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda made: made.update(study="0" * 16), "answers the study 0000000000000000.*--run"),
        (lambda made: made.update(version=2), "version: Input should be 1"),
        (lambda made: made.update(rater="<script>"), "rater"),
        (lambda made: made.update(more=1), "more: Extra inputs"),
        (lambda made: made.pop("saved"), "saved: Field required"),
        (lambda made: made.update(answers=[]), "has no answers"),
        (lambda made: made["answers"].append(made["answers"][0]), "answer 9 is to a question that was answered before"),
        (change(question="nothing"), "answer 2 has codes that are not in the key"),
        (change(left="nothing"), "answer 2 has codes that are not in the key"),
        (change(chosen="nothing"), "answer 2 chose a picture that was not shown"),
        (change(seconds=-1.0), "answers.1.seconds"),
        (change(seconds=float("nan")), "answers.1.seconds|JSON"),
        (change(chosen=1), "answers.1.chosen"),
    ],
)  # fmt: skip
def test_other_answers_are_refused(
    key: Key, tmp_path: Path, spoil: Callable[[dict[str, Any]], object], words: str
) -> None:
    made = answers(key, 7)
    spoil(made)
    path = write_answers(tmp_path, made, "theirs.json")
    with pytest.raises(DataError, match=words) as told:
        read_answers(path, key)
    assert str(told.value).startswith(str(path)) and "leave the file out" in str(told.value)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe\x00", b'{"a": ' * 5000])
def test_files_that_are_something_else_are_refused(key: Key, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"other\.json.*leave the file out"):
        read_answers(path, key)


def test_missing_and_huge_files_are_refused(key: Key, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json cannot be read \(No such file"):
        read_answers(tmp_path / "none.json", key)
    huge = tmp_path / "huge.json"
    huge.write_bytes(b" " * 5_000_001)
    with pytest.raises(DataError, match="too large"):
        read_answers(huge, key)
