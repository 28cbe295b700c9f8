"""The section of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder
from drivederain_reports.page import render
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.key import read_key
from drivederain_reports.study.new import new_study
from drivederain_reports.study.scoring import score_files
from drivederain_reports.study_section import study_section
from tests.reports.study.conftest import HOSTILE_METHODS
from tests.reports.study.made_up_answers import answers, write_answers


def scored(run: RunFolder, path: Path, raters: int, careless: int = 0, checks: int = 3) -> RunFolder:
    new_study(run, questions=18, checks=checks)
    key = read_key(StudyFolder.of(run).key)
    names = sorted({name for question in key.questions.values() for name in question.codes.values()})
    taste = {name: 0.8 * number for number, name in enumerate(names)}
    files = [
        write_answers(path / "answers", answers(key, number, taste, failed_checks=2 if number < careless else 0))
        for number in range(raters)
    ]
    score_files(files, key, StudyFolder.of(run).scores)
    return run


def test_a_run_without_scores_has_no_section(run: RunFolder) -> None:
    assert study_section(run) is None
    new_study(run, questions=2)
    assert study_section(run) is None
    assert 'id="study"' not in render(run).read_text(encoding="utf-8")


def test_the_report_shows_strengths_pairs_and_who_was_left_out(run: RunFolder, tmp_path: Path) -> None:
    page = render(scored(run, tmp_path, 9, careless=2)).read_text(encoding="utf-8")
    assert '<a href="#study">User study</a>' in page and '<section id="study">' in page
    section = page[page.index('<section id="study">') :]
    section = section[: section.index("</section>")]
    assert "126 answers of 7 raters on" in section and "2 raters left out, who failed more than one" in section
    assert section.count('class="strength ') == 4 and ">best</span>" in section and "rainy input" in section
    assert "Each pair" in section and "by intensity" in section


def test_drawn_intervals_lie_within_the_drawing_and_around_their_mark(run: RunFolder, tmp_path: Path) -> None:
    found = study_section(scored(run, tmp_path, 7))
    assert found is not None and 10 <= found.zero <= 230
    for row in found.rows:
        assert row.x_low is not None and row.x_high is not None and 10 <= row.x_low < row.x < row.x_high <= 230
    assert [row.x for row in found.rows] == sorted((row.x for row in found.rows), reverse=True)
    assert found.rows[0].badge == "best" and not found.rows[0].behind
    assert [len(cells) for _, cells in found.matrix] == [4] * 4 and all(
        cells[n] == "" for n, (_, cells) in enumerate(found.matrix)
    )


def test_what_the_intervals_speak_of_is_said(run: RunFolder, tmp_path: Path) -> None:
    found = study_section(scored(run, tmp_path, 1, checks=0))
    assert found is not None
    assert "There were no attention checks: nobody could be left out." in found.remarks
    assert any("speak of this rater on other scenes, not of other people" in words for words in found.remarks)


def test_hostile_method_names_are_text(hostile_run: RunFolder, tmp_path: Path) -> None:
    page = render(scored(hostile_run, tmp_path, 7)).read_text(encoding="utf-8")
    section = page[page.index('<section id="study">') :]
    section = section[: section.index("</section>")]
    assert "<script" not in section and ' onload="' not in section and "<b>" not in section
    for name in HOSTILE_METHODS:
        escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")
        at = section.index(escaped)
        assert section.rindex("<bdi", 0, at) > section.rfind("</bdi>", 0, at), "isolated from the text around it"


def test_damaged_scores_are_named(run: RunFolder) -> None:
    path = StudyFolder.of(run).scores
    path.parent.mkdir()
    path.write_text('{"kind": "drivederain-study-scores"}')
    with pytest.raises(DataError, match=r"scores\.json: .*study score"):
        render(run)
