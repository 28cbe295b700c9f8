"""The page that raters get: blind, closed, small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivederain.errors import DataError, OptionError
from drivederain.results.run_folder import RunFolder
from drivederain_reports.study.candidates import candidates
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.key import Key, read_key
from drivederain_reports.study.new import new_study
from drivederain_reports.study.packed import pack
from drivederain_reports.study.selection import check_questions, pair_questions
from tests.reports.conftest import HOSTILE, FakeRun
from tests.reports.study.conftest import HOSTILE_METHODS


def page_of(run: RunFolder) -> str:
    return StudyFolder.of(run).page.read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="study">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def key_of(run: RunFolder) -> Key:
    return read_key(StudyFolder.of(run).key)


def test_the_page_has_the_questions_of_the_key(run: RunFolder) -> None:
    made = new_study(run, questions=12, checks=2)
    key, data = key_of(run), data_of(page_of(run))
    assert (made.pairs, made.checks, key.checks, len(key.questions)) == (12, 2, 2, 14)
    assert {each["id"] for each in data["questions"]} == set(key.questions)
    for each in data["questions"]:
        assert {code for code, _ in each["sides"]} == set(key.questions[each["id"]].codes)
    assert made.bytes == StudyFolder.of(run).page.stat().st_size and made.width == 80 and not made.notes


def test_nothing_in_the_page_tells_a_method(run: RunFolder) -> None:
    new_study(run, questions=12, checks=2)
    page, data = page_of(run), data_of(page_of(run))
    text = re.sub(r'"data:image/jpeg;base64,[A-Za-z0-9+/=]*"', '""', page).lower()
    for word in ("unet", "diffusion", "restormer", "identity", "synthetic", "v40", "pair0", "blurred", "obvious"):
        assert word not in text, word
    for listed in ([each["id"] for each in data["questions"]], list(data["pictures"])):
        assert listed == sorted(listed), "the order tells nothing"
    assert all(each["sides"] == sorted(each["sides"]) for each in data["questions"])


def test_a_method_has_another_code_in_every_question(run: RunFolder) -> None:
    new_study(run, questions=12)
    codes = [code for question in key_of(run).questions.values() for code in question.codes]
    assert len(set(codes)) == len(codes) and all(re.fullmatch("[0-9a-f]{12}", code) for code in codes)


def test_the_policy_allows_the_page_s_own_script_and_style_only(run: RunFolder) -> None:
    new_study(run, questions=2)
    page = page_of(run)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None and policy[1].startswith("default-src 'none'; img-src data:;")
    for tag in ("script", "style"):
        own = page[page.rindex(f"<{tag}>") + len(tag) + 2 : page.rindex(f"</{tag}>")]
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()}'" in policy[1]
    assert not re.search(r"https?://|//[a-z]+\.", page.replace("</", ""))


def test_hostile_words_are_text(hostile_run: RunFolder) -> None:
    new_study(hostile_run, questions=9, send_to=HOSTILE)
    page = page_of(hostile_run)
    assert page.count("<script") == 2 and "alert(1)</script>" not in page and "<img src=x" not in page
    names = {name for question in key_of(hostile_run).questions.values() for name in question.codes.values()}
    assert names >= set(HOSTILE_METHODS)
    assert not any(name in page for name in HOSTILE_METHODS)


def test_the_same_questions_again_with_other_codes(run: RunFolder) -> None:
    new_study(run, questions=8)
    first = key_of(run)
    new_study(run, questions=8, replace=True)
    second = key_of(run)
    asked = [[(q.image, sorted(q.codes.values())) for q in key.questions.values()] for key in (first, second)]
    assert asked[0] == asked[1]
    assert first.study != second.study and not set(first.questions) & set(second.questions)


def test_a_study_is_not_written_over_by_accident(run: RunFolder) -> None:
    new_study(run, questions=2)
    before = page_of(run)
    with pytest.raises(OptionError, match=r"study holds a study.*--replace"):
        new_study(run, questions=2)
    assert page_of(run) == before


def test_what_is_not_as_asked_for_is_said(run: RunFolder) -> None:
    made = new_study(run, questions=5000, checks=500)
    assert any("instead of 5000: no more pictures are stored" in note for note in made.notes)
    assert any("attention checks instead of 500" in note for note in made.notes)
    made = new_study(run, questions=4, replace=True)
    assert made.notes == ("4 of 6 pairs of methods are compared; all are with --questions 6",)
    made = new_study(run, questions=6, methods=("unet",), with_input=True, checks=0, replace=True)
    assert made.methods == ("identity", "unet") and made.checks == 0 and not made.notes


@pytest.mark.parametrize(("changes", "words"), [({"questions": 0}, "--questions 0"), ({"checks": -1}, "--checks -1")])
def test_unusable_numbers(run: RunFolder, changes: dict[str, int], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        new_study(run, **changes)  # type: ignore[arg-type]
    assert not StudyFolder.of(run).path.exists()


def test_a_damaged_picture_is_named(run: RunFolder) -> None:
    damaged = sorted(run.path.glob("images/*/*/unet.png"))
    for path in damaged:
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=r"unet\.png cannot be decoded"):
        new_study(run, questions=10)


def test_pictures_are_made_smaller_and_then_questions_fewer(tmp_path: Path) -> None:
    run = FakeRun(scenes=1, with_second=False, with_real=False).build(tmp_path / "mine")
    noise = np.random.default_rng(0)
    for path in run.path.glob("images/*/*/*.png"):
        cv2.imwrite(str(path), noise.integers(0, 255, (300, 1400, 3), dtype=np.uint8))
    known, strata = candidates(run, 0)
    checks, pairs = check_questions(strata, 1, 0), pair_questions(strata, known, 4, 0)

    def length(most: int) -> tuple[int, int, int]:
        found = pack(checks, pairs, most)
        return found.width, len(found.asked), sum(map(len, set(found.addresses.values())))

    widths = [length(most) for most in (10**9, 2_000_000, 500_000, 150_000)]
    assert widths[0][:2] == (1280, 5) and widths[-1][0] == 512 and widths[-1][1] < 5
    assert [width for width, _, _ in widths] == sorted((width for width, _, _ in widths), reverse=True)
    for most, (_, _, size) in zip((10**9, 2_000_000, 500_000, 150_000), widths, strict=True):
        assert size <= most


def test_a_damaged_or_missing_key_is_named(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"key\.json is not there: make a study"):
        key_of(run)
    new_study(run, questions=2)
    path = StudyFolder.of(run).key
    path.write_text(path.read_text(encoding="utf-8")[:-30], encoding="utf-8")
    with pytest.raises(DataError, match=r"key\.json: .*Restore the key\.json"):
        key_of(run)
