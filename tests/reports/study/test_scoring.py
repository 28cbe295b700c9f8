"""Scores of made-up raters."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.errors import DataError, OptionError
from drivederain.results.run_folder import RunFolder
from drivederain_reports.study.find import answer_files, find_run
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.key import Key, read_key
from drivederain_reports.study.new import new_study
from drivederain_reports.study.scores import read_scores
from drivederain_reports.study.scoring import Scored, score_files
from tests.reports.conftest import FakeRun
from tests.reports.study.made_up_answers import answers, write_answers

TASTE = {"identity": -1.5, "restormer": -0.3, "unet": 0.5, "unet+diffusion": 1.3}


@pytest.fixture
def key(run: RunFolder) -> Key:
    new_study(run, questions=24, checks=3)
    return read_key(StudyFolder.of(run).key)


def scored(run: RunFolder, key: Key, files: list[Path]) -> Scored:
    return score_files(files, key, StudyFolder.of(run).scores)


def test_strengths_are_in_the_order_of_the_raters_taste(run: RunFolder, key: Key, tmp_path: Path) -> None:
    files = [write_answers(tmp_path / "a", answers(key, number, TASTE)) for number in range(10)]
    found = scored(run, key, files).scores
    assert [each.name for each in found.methods] == list(reversed(TASTE))
    assert (found.answers, found.counted, found.questions, found.checks) == (240, 10, 24, 3)
    assert found.speaks_of == ["raters", "scenes"] and found.groups == [sorted(TASTE)]
    best, *_, worst = found.methods
    assert best.low is not None and worst.high is not None and best.low > worst.high
    assert sum(each.wins for each in found.methods) == sum(each.losses for each in found.methods) == 240
    assert {each.intensity for each in found.by_intensity} == {"light", "medium", "heavy"}
    assert sum(each.won for each in found.by_intensity) == 240
    assert read_scores(StudyFolder.of(run).scores) == found


def test_who_fails_two_attention_checks_is_left_out(run: RunFolder, key: Key, tmp_path: Path) -> None:
    upside_down = {name: -value for name, value in TASTE.items()}
    files = [write_answers(tmp_path / "a", answers(key, number, TASTE, failed_checks=1)) for number in range(6)]
    alone = scored(run, key, files).scores
    files += [write_answers(tmp_path / "a", answers(key, 50 + n, upside_down, failed_checks=2)) for n in range(6)]
    both = scored(run, key, files).scores
    assert both.methods == alone.methods and both.counted == 6 and len(both.raters) == 12
    assert {(rater.failed, rater.left_out) for rater in both.raters} == {(1, False), (2, True)}


def test_a_rater_counts_once_with_what_was_saved_last(run: RunFolder, key: Key, tmp_path: Path) -> None:
    late = write_answers(tmp_path, answers(key, 1, TASTE, saved="2026-02-03T12:00:00Z"), "b.json")
    early = write_answers(tmp_path, answers(key, 1, saved="2026-02-03T13:00:00+02:00"), "c.json")
    copy = write_answers(tmp_path, answers(key, 1, TASTE, saved="2026-02-03T12:00:00Z"), "a.json")
    found = scored(run, key, [late, early, copy, late])
    assert found.scores.answers == 24 and sum(each.ties for each in found.scores.methods) == 0
    assert found.scores.raters[0].files == ["c.json", "a.json", "b.json"]
    assert found.repeated == (str(early), str(copy))


def test_one_bad_file_does_not_lose_the_others(run: RunFolder, key: Key, tmp_path: Path) -> None:
    good = write_answers(tmp_path, answers(key, 1, TASTE))
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    found = scored(run, key, [bad, good])
    assert len(found.problems) == 1 and "bad.json" in found.problems[0] and found.scores.answers == 24


def test_nothing_usable_writes_nothing(run: RunFolder, key: Key, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    with pytest.raises(DataError, match=r"bad\.json.*1 more could not be used"):
        scored(run, key, [bad, tmp_path / "none.json"])
    careless = write_answers(tmp_path, answers(key, 1, TASTE, failed_checks=3))
    with pytest.raises(DataError, match="of 1 rater 1 failed more than 1 attention check"):
        scored(run, key, [careless])
    assert not StudyFolder.of(run).scores.exists()


def test_the_left_hand_habit_is_measured(run: RunFolder, key: Key, tmp_path: Path) -> None:
    made = answers(key, 1, TASTE)
    for answer in made["answers"]:
        answer["chosen"] = answer["left"] if key.questions[answer["question"]].obvious is None else answer["chosen"]
    made["answers"] = [
        {**answer, "chosen": key.questions[answer["question"]].obvious or answer["chosen"]}
        for answer in made["answers"]
    ]
    assert scored(run, key, [write_answers(tmp_path, made)]).scores.left_share == 1.0
    assert scored(run, key, [write_answers(tmp_path, answers(key, 1))]).scores.left_share is None, "all ties"


def test_files_of_folders_and_the_run_are_found(run: RunFolder, key: Key, tmp_path: Path) -> None:
    other = FakeRun(scenes=2).build(tmp_path / "another")
    new_study(other, questions=2)
    (tmp_path / "no-run").mkdir()
    file = write_answers(tmp_path / "answers", answers(key, 1))
    (tmp_path / "answers" / "notes.txt").write_text("mail of Monday")
    assert answer_files([tmp_path / "answers", file]) == [file, file]
    assert find_run([tmp_path / "none.json", file], tmp_path) == run
    with pytest.raises(OptionError, match=r"no run in .* Give --run"):
        find_run([file], tmp_path / "no-run")
    with pytest.raises(OptionError, match=r"no-run holds no \.json file"):
        answer_files([tmp_path / "no-run"])
