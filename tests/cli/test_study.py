"""``study new|score`` as typed, on a run of the command itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drivederain.results.run_folder import RunFolder
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.key import Key, read_key
from tests.reports.conftest import FakeRun
from tests.reports.study.made_up_answers import answers, write_answers

TASTE = {"identity": -1.0, "restormer": 0.0, "unet": 0.4, "unet+diffusion": 1.0}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """In ``runs/`` of the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return FakeRun(scenes=4).build(tmp_path / "runs" / "mine")


@pytest.fixture
def key(run: RunFolder, command: Any) -> Key:
    ended = command("study", "new", "runs/mine", "--questions", 12, "--checks", 2)
    assert ended.status == 0, ended.err
    return read_key(StudyFolder.of(run).key)


def test_new_says_what_to_send_and_what_to_keep(run: RunFolder, command: Any) -> None:
    ended = command("study", "new", "runs/mine", "--questions", 12, "--methods", "unet,restormer", "--no-input")
    assert ended.status == 0
    assert "page: runs/mine/study/index.html (12 questions, 3 attention checks" in ended.out
    assert "key: runs/mine/study/key.json: keep it, do not send it" in ended.out
    names = {name for q in read_key(StudyFolder.of(run).key).questions.values() for name in q.codes.values()}
    assert names == {"unet", "restormer", "clear", "blurred"}
    again = command("study", "new", "runs/mine")
    assert again.status == 2 and "--replace" in again.message
    assert command("study", "new", "runs/mine", "--questions", 2, "--replace").status == 0


def test_score_prints_strengths_and_adds_them_to_the_report(run: RunFolder, key: Key, command: Any) -> None:
    for number in range(7):
        write_answers(Path("answers"), answers(key, number, TASTE, failed_checks=2 * (number == 0)))
    ended = command("study", "score", "answers", "--run", "runs/mine")
    assert ended.status == 0, ended.err
    assert "unet+diffusion" in ended.out and "rainy input" in ended.out
    assert "72 answers of 6 raters" in ended.out and "1 rater left out" in ended.out
    assert StudyFolder.of(run).scores.is_file()
    assert '<section id="study">' in run.report_html.read_text(encoding="utf-8")


def test_the_run_is_found_by_the_answers_or_the_key(run: RunFolder, key: Key, command: Any) -> None:
    file = write_answers(Path("answers"), answers(key, 1, TASTE))
    for named in ((), ("--key", "runs/mine/study/key.json")):
        StudyFolder.of(run).scores.unlink(missing_ok=True)
        assert command("study", "score", file, *named).status == 0
        assert StudyFolder.of(run).scores.is_file()
    moved = StudyFolder.of(run).key.rename("kept-elsewhere.json")
    assert command("study", "score", file, "--run", "runs/mine").status == 2
    assert command("study", "score", file, "--run", "runs/mine", "--key", moved).status == 0


def test_a_bad_file_is_told_and_the_rest_is_scored(run: RunFolder, key: Key, command: Any) -> None:
    write_answers(Path("answers"), answers(key, 1, TASTE))
    write_answers(Path("answers"), answers(key, 2, TASTE, study="0" * 16), "theirs.json")
    ended = command("study", "score", "answers", "--run", "runs/mine")
    assert ended.status == 1
    assert "error: answers/theirs.json answers the study 0000000000000000" in ended.message
    assert "12 answers of 1 rater" in ended.out


def test_nothing_is_scored_for_what_is_no_run(run: RunFolder, key: Key, command: Any) -> None:
    file = write_answers(Path("answers"), answers(key, 1, TASTE))
    ended = command("study", "score", file, "--run", "answers")
    assert ended.status == 2 and "answers is not a run" in ended.message
    ended = command("study", "score", "none.json")
    assert ended.status == 2 and "none.json cannot be read" in ended.message
