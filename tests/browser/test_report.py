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
    shown, every = rows.count(), table.locator("tbody tr").count()
    assert 0 < shown < every, "at first those of one metric over all intensities"
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


def test_all_pictures_are_zoomed_and_moved_together(opened: Any) -> None:
    page = opened.page
    gallery = page.locator(".gallery").first
    gallery.locator('[data-zoom="in"]').first.click()
    assert gallery.locator("[data-level]").first.inner_text() == "200 %"
    scales = "each => getComputedStyle(each).transform.match(/matrix\\(([^,]+)/)[1]"
    stages = gallery.locator(".stage img.left")
    assert {stages.nth(number).evaluate(scales) for number in range(3)} == {"2"}
    stage = gallery.locator(".stage").first
    box = stage.bounding_box()
    assert box is not None
    before = gallery.evaluate("each => each.style.getPropertyValue('--tx')")
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.up()
    assert gallery.evaluate("each => each.style.getPropertyValue('--tx')") != before
    gallery.locator('[data-zoom="fit"]').first.click()
    assert {stages.nth(number).evaluate(scales) for number in range(3)} == {"1"}
    assert opened.requests, "zooming takes the lossless files beside the page"
    assert all(address.startswith("file://") and "/images/" in address for address in opened.requests)
    opened.requests.clear()


def test_errors_and_drops_are_shown(opened: Any) -> None:
    gallery = opened.page.locator(".gallery").first
    gallery.get_by_text("Error", exact=True).click()
    assert gallery.locator(".stage img.error.right:visible").count() > 1
    assert gallery.locator(".tag-right").first.inner_text().endswith(": error")
    gallery.get_by_text("Show drops").click()
    assert gallery.locator("img.mask:visible").count() > 1


def test_all_methods_on_one_picture(opened: Any) -> None:
    page = opened.page
    page.get_by_role("button", name="All methods").first.click()
    sheet = page.locator("#sheet")
    names = sheet.locator("figcaption bdi").all_inner_texts()
    assert names == ["rainy", "truth", "unet", "unet+diffusion", "restormer"]
    sheet.get_by_role("button", name="Larger").click()
    assert sheet.locator("output").inner_text() == "200 %"
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    opened.requests.clear()


def test_a_picture_is_searched_for_and_opened(opened: Any) -> None:
    page = opened.page
    browse = page.locator(".browse").first
    browse.locator("summary").click()
    assert browse.locator("li").count() == 24
    browse.get_by_label("Name has").fill("street 05")
    assert browse.locator("li").count() == 3 and "3 of 24 pictures" in browse.inner_text()
    browse.get_by_label("Intensity").select_option("heavy")
    assert browse.locator("li").count() == 1
    browse.get_by_label("Name has").fill("")
    browse.get_by_label("Order").select_option("unet")
    gains = [float(text.split(", ")[1].split(" ")[0]) for text in browse.locator("li button > span").all_inner_texts()]
    assert gains == sorted(gains) and len(gains) == 8
    browse.locator("li button").first.click()
    assert page.locator("#sheet").is_visible()
    opened.requests.clear()


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


def test_on_a_phone_nothing_lies_over_the_title_and_no_name_breaks_within_a_word(visit: Any, report: Path) -> None:
    page = visit(report, width=390).page
    theme, kicker = (page.locator(each).bounding_box() for each in ("#theme", ".kicker"))
    assert theme["y"] >= kicker["y"] + kicker["height"]
    broken = page.evaluate(
        """() => [...document.querySelectorAll('table .method')]
             .filter(name => /^\\w{1,9}$/.test(name.textContent.trim()) && name.getClientRects().length
                 && name.getBoundingClientRect().height > 1.6 * parseFloat(getComputedStyle(name).lineHeight))
             .map(name => name.textContent)"""
    )
    assert broken == []


def test_on_paper_it_is_light_whole_and_as_wide_as_a4(visit: Any, report: Path) -> None:
    page = visit(report, width=794, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 32, 43)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 800
    assert not page.locator("nav").is_visible() and not page.locator(".filters").first.is_visible()


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
    assert opened.page.evaluate("[...document.scripts].filter(each => !each.type).length") == 1
