"""The report as a reader uses it, in headless Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drivederain_reports.page import render
from tests.reports.conftest import FakeRun

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the usual run, hostile names and failures included."""
    return render(FakeRun().build(tmp_path_factory.mktemp("run") / "mine"))


@pytest.fixture
def opened(visit: Any, report: Path) -> Any:
    found = visit(report)
    yield found
    assert not found.complaints
    assert not found.requests


def column(page: Any, table: str, number: int) -> list[str]:
    return [str(text).strip() for text in page.locator(f"{table} tbody tr > :nth-child({number})").all_inner_texts()]


def test_a_table_is_sorted_down_up_and_back(opened: Any) -> None:
    page = opened.page
    table = page.locator(".standings").first
    heading = table.locator("th", has_text="Latency")
    before = table.locator("tbody th").all_inner_texts()
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    gain = table.locator("th", has_text="Gain")
    gain.get_by_role("button").click()
    shown = [float(text.replace("−", "-")) for text in table.locator("tbody td:nth-last-child(3)").all_inner_texts()]
    assert shown == sorted(shown, reverse=True) and len(shown) > 1
    assert heading.get_attribute("aria-sort") is None
    gain.get_by_role("button").press("Enter")
    assert gain.get_attribute("aria-sort") == "ascending"
    assert table.locator("tbody td:nth-last-child(3)").all_inner_texts()[0].startswith(f"+{min(shown)}")
    gain.get_by_role("button").click()
    assert table.locator("tbody th").all_inner_texts() == before


def test_rows_are_filtered_by_value_and_by_text(opened: Any) -> None:
    page = opened.page
    bar = page.locator("#paired .filters").first
    table = page.locator("#paired table").first
    rows = table.locator("tbody tr:visible")
    every = rows.count()
    bar.get_by_label("Metric").select_option("PSNR [rgb]")
    bar.get_by_label("Intensity").select_option("heavy")
    assert set(table.locator("tbody tr:visible td:first-child").all_inner_texts()) == {"PSNR [rgb]"}
    assert 0 < rows.count() < every
    bar.get_by_label("Rows with").fill("no such method")
    assert rows.count() == 0 and f"0 of {every} rows" in bar.inner_text()
    bar.get_by_label("Rows with").fill("")
    bar.get_by_label("Metric").select_option("")
    bar.get_by_label("Intensity").select_option("")
    assert rows.count() == every


def test_the_theme_is_changed(opened: Any) -> None:
    page = opened.page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_label("Colours").select_option("dark")
    assert page.evaluate(ground) != light
    axis = page.locator("figure.chart svg text").first
    dark_text = axis.evaluate("each => getComputedStyle(each).fill")
    page.get_by_label("Colours").select_option("light")
    assert page.evaluate(ground) == light and axis.evaluate("each => getComputedStyle(each).fill") != dark_text


def test_a_slider_is_moved_by_pointer_and_by_keys(opened: Any) -> None:
    stage = opened.page.locator(".stage").first
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    opened.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    opened.page.mouse.up()
    place = "each => parseFloat(each.style.getPropertyValue('--pos'))"
    assert stage.evaluate(place) == pytest.approx(25, abs=2)
    before = stage.evaluate(place)
    stage.locator("input[type=range]").press("ArrowRight")
    assert stage.evaluate(place) > before


@pytest.mark.parametrize("kind", ["SVG", "PNG"])
def test_a_chart_is_saved(opened: Any, kind: str) -> None:
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name=f"Save this chart as {kind}").first.click()
    data = Path(download.value.path()).read_bytes()
    assert download.value.suggested_filename.endswith(f".{kind.lower()}")
    if kind == "PNG":
        assert data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) > 5000
    else:
        assert b"<svg" in data and b"var(" not in data and b"<script" not in data


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(visit: Any, report: Path, colours: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = visit(report, width=width, color_scheme=colours, bypass_csp=True).page
    found = axe.Axe().run(page).response["violations"]
    serious = [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in SERIOUS
    ]
    assert not serious, "\n".join(serious)


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_nothing_is_wider_than_the_window(visit: Any, report: Path, width: int) -> None:
    page = visit(report, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_javascript_everything_is_there_but_interaction(visit: Any, report: Path) -> None:
    found = visit(report, java_script_enabled=False)
    page = found.page
    assert page.locator("#verdict .card").count() > 1 and page.locator("#scores table.scores").count() > 1
    assert page.locator(".stage img.left:visible").count() > 1
    assert page.locator("figure.chart svg").count() > 1
    assert not page.locator("#theme").is_visible() and page.locator(".sort").count() == 0
    assert not found.requests


def test_hostile_names_are_text(opened: Any) -> None:
    assert opened.page.get_by_text("<script>alert(1)</script>").count() > 0
    assert opened.page.evaluate("document.scripts.length") == 1
