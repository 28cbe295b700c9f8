from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import SCHEMA_VERSION
from drivederain.specs import ReportSection
from drivederain_reports.page import render

MINIMAL = (
    f'{{"schema_version": {SCHEMA_VERSION}, "name": "x", "command": [], "datasets": [], "methods": [], "metrics": []}}'
)


HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


class Page(HTMLParser):
    """Elements with their attributes, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._silent = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag in ("script", "style"):
            self._silent = tag
        if tag in ("td", "th") or ("class", "note") in attrs:
            self.text += " "

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def page_of(run: RunFolder, *sections: ReportSection) -> Page:
    path = render(run, sections)
    assert path == run.path / "report" / "index.html"
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def module_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report") / "mine"


@pytest.fixture
def whole(fake_run: Any, module_path: Path) -> Page:
    """The report of the usual run, made once for this file."""
    if not module_path.exists():
        fake_run().build(module_path)
        render(RunFolder(module_path), [ReportSection("Theirs <b>", "<p>hello</p><script>parent.x = 1</script>")])
    return Page((module_path / "report" / "index.html").read_text(encoding="utf-8"))


def test_verdict_names_the_best_its_gain_and_what_cannot_be_told_apart(whole: Page) -> None:
    verdict = whole.words[whole.words.index("Best PSNR") : whole.words.index("Amounts are means")]
    assert "Best PSNR [rgb], tied" in verdict
    assert "unet+diffusion" in verdict
    assert "better than the rainy input." in verdict
    assert "cannot be told apart" in verdict
    assert "Best LPIPS [alex]" in verdict
    assert re.search(r"Left out: restormer \(0 of 8 scored\)", verdict)


def test_every_metric_has_a_table_with_variant_direction_and_n(whole: Page) -> None:
    for label, direction in (
        ("PSNR [rgb]", "higher"),
        ("LPIPS [alex]", "lower"),
        ("PSNR-Y [mprnet]", "higher"),
        ("MSE [rgb]", "lower"),
    ):
        assert re.search(rf"{re.escape(label)}( in dB)? [↑↓] {direction} is better", whole.words), label
    assert "n = 8, 8 scenes" in whole.words
    assert "n = 24, 8 scenes" in whole.words
    assert "only 16 of 24: not comparable" in whole.words
    assert "∞ left out" in whole.words
    assert "8 images failed" in whole.words


def test_sources_of_the_intensity_are_apart_and_named(whole: Page) -> None:
    for words in ("recorded when the rain was drawn", "measured from the pair", "estimated from the photo alone"):
        assert words in whole.words
    assert "3 close to a border between two intensities" in whole.words
    assert "No ground truth, so there is nothing to score against" in whole.words


def test_names_and_reasons_are_text_and_nothing_else(whole: Page) -> None:
    assert "<script>alert(1)</script>" in whole.text
    assert [each.get("type") for each in whole.all("script")] == ["application/json"] * 3 + [None]
    assert all(picture["src"].startswith("data:image/") for picture in whole.all("img"))
    assert not [name for _, attributes in whole.elements for name in attributes if name.startswith("on")]
    assert "ImportError: <b>no</b>" in whole.text
    assert not whole.all("b")


def test_the_page_loads_nothing(whole: Page) -> None:
    for tag, attributes in whole.elements:
        assert tag not in ("link", "object", "embed", "base", "video", "audio", "form")
        for name in ("src", "srcset", "data", "poster", "action"):
            assert name not in attributes or attributes[name].startswith("data:image/"), (tag, attributes)
    policy = next(meta["content"] for meta in whole.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_the_policy_allows_the_page_s_own_script_only(whole: Page, module_path: Path) -> None:
    html = (module_path / "report" / "index.html").read_text(encoding="utf-8")
    script = html[html.rindex("<script>") + len("<script>") : html.rindex("</script>")]
    expected = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{expected}&#39;" in html or f"script-src 'sha256-{expected}'" in html


def test_links_to_pictures_lead_to_files(whole: Page, module_path: Path) -> None:
    links = [a["href"] for a in whole.all("a") if "images/" in a["href"]]
    assert len(links) > 50
    for link in links:
        assert (module_path / "report" / unquote(link)).resolve().is_file(), link


def test_every_link_inside_the_page_has_its_target(whole: Page) -> None:
    targets = {attributes["id"] for _, attributes in whole.elements if "id" in attributes}
    for a in whole.all("a"):
        if a["href"].startswith("#"):
            assert a["href"][1:] in targets


def test_gallery_shows_best_median_and_worst_with_sliders_and_choices(whole: Page) -> None:
    sliders = [field for field in whole.all("input") if field["type"] == "range"]
    cases = [attributes for tag, attributes in whole.elements if attributes.get("class", "").startswith("role r-")]
    assert len(sliders) == len(cases) > 3 * 4 + 3 * 3 + 6
    # Two data sets of three intensities, of eight photos and of four, where roles meet, and six without truth.
    assert all(slider["aria-label"] for slider in sliders)
    assert "best, median and worst by the PSNR [rgb] gain of unet+diffusion over the rainy input" in whole.words
    assert re.search(r"[45] of 8 images, best, median and worst by the PSNR \[rgb\] gain", whole.words)
    assert "2 of 2 images, drawn by a hash of the name, because there are no scores to pick by" in whole.words
    buttons = [field for field in whole.all("input") if field["type"] == "radio" and field["name"] == "g0-right"]
    assert len(buttons) == 5  # rainy, three methods, truth
    assert sum("checked" in button for button in buttons) == 1
    assert "Not stored for this picture: restormer" in whole.words


def test_failures_warnings_weights_and_licences_are_there(whole: Page) -> None:
    for words in (
        "the file is cut short",
        "1 picture of the test set is in the training set of unet.",
        "Seen in training.",
        "NON-COMMERCIAL",
        "cd" * 32,
        "24 redistributable road photos and drawn scenes",
        "with changes",
        "drivederain-bench run --methods unet,unet+diffusion,restormer --data 'synthetic:my photos'",
        "restored before this run",
        "An 8-bit CPU, 2 cores, 23 GB memory",
    ):
        assert words in whole.words, words


def test_plugin_sections_are_in_closed_frames(whole: Page) -> None:
    (frame,) = whole.all("iframe")
    assert frame["sandbox"] == ""
    assert frame["srcdoc"] == "<p>hello</p><script>parent.x = 1</script>"
    assert frame["title"] == "Theirs <b>"


def test_rendering_again_gives_the_same_bytes(fake_run: Any, tmp_path: Path) -> None:
    run = fake_run(scenes=2, with_second=False, with_real=False).build(tmp_path / "mine")
    first = render(run).read_bytes()
    assert render(run).read_bytes() == first


def test_smoke_test_is_said_at_the_top(fake_run: Any, tmp_path: Path) -> None:
    run = fake_run(scenes=2, with_second=False, with_real=False).build(tmp_path / "mine")
    assert "Smoke test, not a benchmark." not in page_of(run).words
    about = json.loads(run.run_json.read_text(encoding="utf-8"))
    about["datasets"][0]["smoke_test"] = True
    run.run_json.write_text(json.dumps(about), encoding="utf-8")
    words = page_of(run).words
    assert words.index("Smoke test, not a benchmark.") < words.index("Amounts are means")


def test_without_the_folder_of_pictures(fake_run: Any, tmp_path: Path) -> None:
    page = page_of(fake_run(scenes=2, images=False).build(tmp_path / "mine"))
    assert "The pictures of this data set are not beside the report" in page.words
    assert not page.all("img")
    assert "Best PSNR [rgb]" in page.words


def test_with_damaged_and_missing_pictures(fake_run: Any, tmp_path: Path) -> None:
    run = fake_run(scenes=2, failing=(), with_second=False, with_real=False).build(tmp_path / "mine")
    folder = run.image_folder("synthetic:photos", "street 00@heavy")
    (folder / "unet.png").write_bytes(b"\x89PNG cut short")
    (folder / "mask.png").unlink()
    (run.image_folder("synthetic:photos", "street 01@heavy") / "rainy.png").write_bytes(b"")
    words = page_of(run).words
    assert "Not stored for this picture: unet" in words
    assert "1 picked picture not shown" in words


def test_all_methods_failed(fake_run: Any, tmp_path: Path) -> None:
    run = fake_run(scenes=2, failing=("unet", "unet+diffusion", "restormer"), with_real=False).build(tmp_path / "mine")
    page = page_of(run)
    assert "No method restored enough of the pictures to be compared." in page.words
    assert "Traceback: <script>alert(1)</script>" in page.text
    assert "rainy input" in page.words


def test_even_the_rainy_input_failed(fake_run: Any, tmp_path: Path) -> None:
    run = fake_run(scenes=2, failing=("identity", "unet", "unet+diffusion", "restormer"), with_real=False).build(
        tmp_path / "mine"
    )
    assert "Nothing was scored, so there is no verdict." in page_of(run).words


def test_without_timings(fake_run: Any, tmp_path: Path) -> None:
    run = fake_run(scenes=2, with_second=False, with_real=False).build(tmp_path / "mine")
    run.timings_parquet.unlink()
    assert "timings.parquet is not in the run's folder." in page_of(run).words


def test_speed_says_what_was_measured_how_and_on_what(whole: Page) -> None:
    words = whole.words[whole.words.index("Speed and memory") : whole.words.index("To repeat it")]
    assert "An 8-bit CPU: fp32, channels last, batch 4, 2 threads" in words
    assert "20 images, 910 × 512 (median)" in words
    # whole chain, median and 95th percentile of the stage, how many, images/s, millions, GFLOP, MB, no joules
    assert "812.0 412.5 466.1 10 2.75 24.43 123.4 1 211 –" in words
    assert "†" not in whole.words
    assert "No energy of unet, unet+diffusion, restormer: no counter <script>alert(1)</script>" in words
    assert "not shown" not in words


def test_what_was_stepped_down_is_flagged_beside_scores_and_speed(fake_run: Any, tmp_path: Path) -> None:
    smaller = {"street 00@heavy": "tile 512", "street 01@light": "tile 512", "street 02@light": "batch 4→2"}
    page = page_of(fake_run(scenes=4, smaller=smaller, with_second=False, with_real=False).build(tmp_path / "mine"))
    counted = "1 of 12 images: batch 4→2; 2 of 12 images: tile 512"
    assert f"† Memory did not suffice as planned: unet ({counted})." in page.words
    assert f"† {counted}" in page.words[page.words.index("Speed and memory") :]
    flags = page.all("abbr")
    assert {flag["title"] for flag in flags} == {counted}
    assert len(flags) == 5 + 3  # the tables of five metrics, and of three by region


def test_samples_of_a_method_that_draws_noise_have_a_table_of_their_spread(fake_run: Any, tmp_path: Path) -> None:
    page = page_of(fake_run(scenes=4, samples={"unet+diffusion": 3}, with_second=False).build(tmp_path / "mine"))
    assert {"href": "#spread"} in page.all("a")
    assert "What another seed would have given" in page.words
    lines = re.findall(r"unet\+diffusion synthetic:photos (\w+) PSNR (\d) (\d) ([\d.]+) ([\d.]+)", page.words)
    # Samples are 0.1 dB apart, whatever the picture: both standard deviations are that.
    assert lines == [(intensity, "3", "4", "0.1000", "0.1000") for intensity in ("light", "medium", "heavy")]


def test_what_each_stage_of_a_chain_added_by_intensity(whole: Page) -> None:
    assert {"href": "#stages"} in whole.all("a")
    words = whole.words[whole.words.index("What each stage added") :]
    lines = re.findall(
        r"unet\+diffusion unet synthetic:photos (\w+) ([+−][\d.]+) ([+−][\d.]+) to ([+−][\d.]+) (\d+) (\d+)", words
    )
    assert [line[0] for line in lines] == ["light", "medium", "heavy", "all"]
    assert all(int(hurt) <= int(count) for *_, hurt, count in lines) and int(lines[-1][-1]) == 24


def test_a_chain_is_told_picture_by_picture(whole: Page) -> None:
    stages = whole.words[whole.words.index("What each stage added") :]
    assert "PSNR [rgb]: differences to unet" in stages
    assert re.search(
        r"unet\+ ?diffusion lost most against unet on synthetic:photos: street \d\d@\w+ −\d\.\d\d dB", stages
    )


def test_methods_alone_have_no_stages(fake_run: Any, tmp_path: Path) -> None:
    page = page_of(fake_run(scenes=2, methods=("identity", "unet"), with_second=False).build(tmp_path / "mine"))
    assert "What each stage added" not in page.words and {"href": "#stages"} not in page.all("a")


def test_without_samples_there_is_no_table_of_their_spread(whole: Page) -> None:
    assert "What another seed would have given" not in whole.words


def test_ceilings_stand_beside_the_scores_they_bound(fake_run: Any, tmp_path: Path) -> None:
    measured = {
        "method": HOSTILE,
        "of": ["unet+diffusion"],
        "dataset": "synthetic:photos",
        "images": 8,
        "images_ok": 7,
        "scores": {"psnr": {"mean": 26.54, "images": 7}},
    }
    failed = {**measured, "images_ok": 0, "scores": {}, "reason": f"out of memory {HOSTILE}"}
    of_others = {**measured, "dataset": "another", "of": ["nobody"]}
    about = {"ceilings": [measured, failed, of_others]}
    page = page_of(fake_run(scenes=2, about=about, with_second=False).build(tmp_path / "mine"))
    assert "Ceiling of unet+diffusion: the autoencoder alone" in page.words
    assert "gives 7 clear images back at psnr 26.540." in page.words
    assert "The ceiling of unet+diffusion could not be measured: out of memory <script>alert(1)</script>" in page.words
    assert "nobody" not in page.words
    assert not [image for image in page.all("img") if image.get("src") == "x"]


def test_a_second_report_makes_no_preview_again(fake_run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    run = fake_run(scenes=3, with_second=False).build(tmp_path / "mine")
    first = render(run).read_bytes()
    kept = {path.name: path.stat().st_mtime_ns for path in run.previews.iterdir()}
    assert len(kept) > 20
    changed = run.output_png("synthetic:photos", "street 00@light", "unet")
    (run.previews / f"{'0' * 32}_1x1.jpg").write_bytes(b"of an earlier page")
    with monkeypatch.context() as patch:
        patch.setattr("drivederain_reports.pictures.read_picture", lambda *_: pytest.fail("decoded again"))
        assert render(run).read_bytes() == first
    assert {path.name: path.stat().st_mtime_ns for path in run.previews.iterdir()} == kept
    changed.write_bytes((changed.parent / "clear.png").read_bytes())
    assert render(run).read_bytes() != first
    assert len(set(kept) ^ {path.name for path in run.previews.iterdir()}) == 4
    # The preview and the error map, one new and one gone each.


def test_one_scene_has_no_intervals_and_says_so(fake_run: Any, tmp_path: Path) -> None:
    words = page_of(fake_run(scenes=1, with_second=False, with_real=False).build(tmp_path / "mine")).words
    assert "too few scenes for an interval" in words
    assert "cannot be told apart." not in words


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("{", r"run\.json is damaged"),
        ("[1, 2]", r"run\.json is damaged"),
        ('{"schema_version": 99}', f"schema version 99, this program reads {SCHEMA_VERSION}"),
        (MINIMAL.replace('"methods": []', '"methods": "?"'), "damaged: methods"),
        (MINIMAL, "does not describe the metric"),
    ],
)
def test_damaged_run_json_is_a_clear_error(fake_run: Any, tmp_path: Path, contents: str, message: str) -> None:
    run = fake_run(scenes=1, images=False, with_second=False, with_real=False).build(tmp_path / "mine")
    run.run_json.write_text(contents, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        render(run)


def test_rendering_imports_no_torch(fake_run: Any, tmp_path: Path) -> None:
    fake_run(scenes=1, with_second=False, with_real=False).build(tmp_path / "mine")
    code = (
        "import sys; from pathlib import Path; from drivederain.results.run_folder import RunFolder;"
        "from drivederain_reports.page import render; render(RunFolder(Path(sys.argv[1])));"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "mine")], check=True)
