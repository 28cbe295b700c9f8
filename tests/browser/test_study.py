"""The page of a study as a rater uses it, in headless Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drivederain.results.run_folder import RunFolder
from drivederain_reports.page import render
from drivederain_reports.study.answers import read_answers
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.key import Key, read_key
from drivederain_reports.study.new import new_study
from drivederain_reports.study.scoring import score_files
from tests.reports.conftest import HOSTILE
from tests.reports.study.conftest import HOSTILE_METHODS, FakeRun, hostile_drawn
from tests.reports.study.made_up_answers import answers, write_answers

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """With a study of six questions and two attention checks, and hostile names."""
    made = FakeRun(
        scenes=3, methods=("identity", *HOSTILE_METHODS), draw=hostile_drawn, failing=(), with_real=False
    ).build(tmp_path_factory.mktemp("run") / "mine")
    new_study(made, questions=6, checks=2, send_to=HOSTILE)
    return made


@pytest.fixture
def key(run: RunFolder) -> Key:
    return read_key(StudyFolder.of(run).key)


@pytest.fixture
def opened(visit: Any, run: RunFolder) -> Any:
    found = visit(StudyFolder.of(run).page)
    yield found
    assert not found.complaints
    assert not found.requests


def shown(page: Any) -> tuple[str, str]:
    """The codes on the left and on the right."""
    left, right = page.evaluate("[order[visit.place].left[0], order[visit.place].right[0]]")
    return left, right


def download(page: Any, path: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("button", name="Save answers").click()
    assert started.value.suggested_filename.startswith("answers-")
    target = path / str(started.value.suggested_filename)
    started.value.save_as(target)
    return target


def test_a_study_by_keyboard_alone_is_scored(opened: Any, run: RunFolder, key: Key, tmp_path: Path) -> None:
    page = opened.page
    page.get_by_role("button", name="Start").press("Enter")
    expected = {}
    for number in range(8):
        assert page.locator("#prompt").inner_text().startswith(f"Question {number + 1} of 8")
        left, right = shown(page)
        (question,) = (code for code, each in key.questions.items() if each.codes.keys() == {left, right})
        obvious = key.questions[question].obvious
        press, chosen = [("ArrowLeft", left), ("ArrowRight", right), ("ArrowDown", None), ("0", None)][number % 4]
        if obvious is not None:
            press, chosen = ("ArrowLeft", left) if obvious == left else ("ArrowRight", right)
        page.keyboard.press(press)
        expected[question] = (left, right, chosen)
    assert page.get_by_role("heading", name="Thank you").is_visible()
    assert page.get_by_text("<script>alert(1)</script>").is_visible(), "where to send them is text"
    file = download(page, tmp_path)
    assert json.loads(page.locator("#text").input_value())["answers"] == json.loads(file.read_text())["answers"]
    found = read_answers(file, key)
    assert {a.question: (a.left, a.right, a.chosen) for a in found.answers} == expected
    assert all(name not in file.read_text() for name in (*HOSTILE_METHODS, "identity", "street"))
    scores = score_files([file], key, StudyFolder.of(run).scores).scores
    assert scores.counted == 1 and scores.answers == 6 and scores.raters[0].failed == 0
    assert sum(each.ties for each in scores.methods) == 2 * sum(
        chosen is None for question, (*_, chosen) in expected.items()
    )


def test_back_changes_an_answer_and_space_shows_the_rain(opened: Any) -> None:
    page = opened.page
    page.get_by_role("button", name="Start").click()
    left, right = shown(page)
    source = page.locator("#left img").get_attribute("src")
    page.keyboard.press("Space")
    assert page.locator("#left img").get_attribute("src") == page.locator("#rainy").get_attribute("src")
    assert page.get_by_text("rainy photograph", exact=True).first.is_visible()
    page.keyboard.press("Space")
    assert page.locator("#left img").get_attribute("src") == source
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")
    assert shown(page) == (left, right)
    assert page.get_by_role("button", name="A is better").get_attribute("aria-pressed") == "true"
    page.locator("#right").click()
    assert page.locator("#count").inner_text() == "1 of 8 answered"
    page.get_by_role("button", name="Finish early").click()
    assert "7 are open" in page.locator("#summary").inner_text()
    assert json.loads(page.locator("#text").input_value())["answers"][0]["chosen"] == right
    page.get_by_role("button", name="Back to the questions").click()
    assert page.locator("#prompt").inner_text().startswith("Question 2 of 8")


def test_an_interrupted_study_goes_on_after_reloading(opened: Any) -> None:
    page = opened.page
    page.get_by_role("button", name="Start").click()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    rater, before = page.evaluate("visit.rater"), shown(page)
    page.reload()
    assert page.get_by_text("3 of 8 questions were answered here before").is_visible()
    page.get_by_role("button", name="Go on").click()
    assert page.evaluate("visit.rater") == rater and shown(page) == before
    page.reload()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start anew").click()
    page.get_by_role("button", name="Start", exact=True).click()
    assert page.evaluate("visit.rater") != rater
    assert page.locator("#count").inner_text() == "0 of 8 answered"


def test_order_and_sides_differ_between_raters_and_follow_the_seed(visit: Any, run: RunFolder) -> None:
    arrange = "seed => arrange(seed).map(each => [each.id, each.left[0]])"
    page = visit(StudyFolder.of(run).page).page
    seeds = [f"{number:032x}" for number in range(400)]
    arranged = [page.evaluate(arrange, seed) for seed in seeds]
    assert page.evaluate(arrange, seeds[3]) == arranged[3]
    first = [each[0][0] for each in arranged]
    for question in set(first):
        assert 20 < first.count(question) < 90, "each question is the first of 8 in about 50 of 400 visits"
    lefts = [left for each in arranged for _, left in each]
    for code in set(lefts):
        assert 140 < lefts.count(code) < 260, "each picture is on the left in about 200 of 400 visits"
    assert visit(StudyFolder.of(run).page).page.evaluate("visit.seed") != page.evaluate("visit.seed")


def test_without_storage_it_works_and_warns_before_it_is_closed(visit: Any, run: RunFolder) -> None:
    found = visit(StudyFolder.of(run).page)
    page = found.page
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('no room') } }")
    page.get_by_role("button", name="Start").click()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#count").inner_text() == "1 of 8 answered"
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.accept()
    assert not found.complaints


def test_damaged_storage_is_left_alone(visit: Any, run: RunFolder, key: Key) -> None:
    for kept in ("{", "null", '{"version": 1}', json.dumps({"version": 1, "study": key.study, "seed": 5})):
        found = visit(StudyFolder.of(run).page)
        found.page.evaluate(
            "([name, kept]) => localStorage.setItem(name, kept)", [f"drivederain-study-{key.study}", kept]
        )
        found.page.reload()
        assert found.page.get_by_role("button", name="Start", exact=True).is_visible()
        assert not found.complaints


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(visit: Any, run: RunFolder, colours: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = visit(StudyFolder.of(run).page, width=width, color_scheme=colours, bypass_csp=True).page
    for step in ("intro", "question", "end"):
        assert page.locator(f"#{step}").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.Axe().run(page).response["violations"]
        serious = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in SERIOUS]
        assert not serious, f"{step}: {serious}"
        page.locator({"intro": "#start", "question": "#early", "end": "summary"}[step]).click()


def test_without_javascript_it_says_what_to_do(visit: Any, run: RunFolder) -> None:
    page = visit(StudyFolder.of(run).page, java_script_enabled=False).page
    assert page.get_by_text("This page needs JavaScript").is_visible()


def test_the_section_of_the_report_is_sound(visit: Any, run: RunFolder, key: Key, tmp_path: Path) -> None:
    score_files([write_answers(tmp_path, answers(key, 1))], key, StudyFolder.of(run).scores)
    found = visit(render(run))
    assert found.page.locator("#study svg.strength").count() == 4
    assert not found.complaints and not found.requests
