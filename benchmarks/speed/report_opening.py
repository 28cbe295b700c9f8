"""How a report opens in headless Chromium: until it is there, the longest that it does not answer, and scrolling.

    python benchmarks/speed/report_opening.py runs/mine/report/index.html --repeats 5
    python benchmarks/speed/report_opening.py --made-up 1000 --methods 8 --pictures runs/mine

With ``--made-up`` the report of so many made-up images is opened, as ``report_scale.py`` makes it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from measure import report
from playwright.sync_api import sync_playwright
from report_scale import about, link_pictures, rows

from drivederain.results.run_folder import RunFolder
from drivederain.results.store import ResultsWriter
from drivederain_reports.page import render

WATCH = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask", buffered: true });
"""
SCROLL = """async () => {
  const frames = [];
  let last = performance.now();
  const step = document.documentElement.scrollHeight / 120;
  for (let number = 0; number < 120; number += 1) {
    scrollBy(0, step);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  frames.sort((one, other) => one - other);
  return [frames[60], frames[114]];
}"""


def opened(page_file: Path) -> dict[str, float]:
    """Milliseconds of one opening in a browser of its own."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(WATCH)
        page.goto(page_file.resolve().as_uri())
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        page.wait_for_timeout(500)
        longest = page.evaluate("window.longest")
        page.evaluate("window.longest = 0")
        median, slow = page.evaluate(SCROLL)
        page.locator(".browse summary").first.click()
        page.wait_for_timeout(500)
        listed = page.evaluate("window.longest")
        browser.close()
    return {
        "loaded, ms": loaded, "longest task, ms": longest, "frame while scrolling, median ms": median,
        "frame, 95 %, ms": slow, "longest task scrolling and opening the list, ms": listed,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", nargs="?", type=Path)
    parser.add_argument("--made-up", type=int, default=0)
    parser.add_argument("--methods", type=int, default=8)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.pictures) as folder:
        page = arguments.page
        if arguments.made_up:
            methods = ["identity", *(f"method{number}" for number in range(1, arguments.methods))]
            run = RunFolder(Path(folder))
            run.run_json.write_text(json.dumps(about(arguments.made_up, methods)), encoding="utf-8")
            with ResultsWriter(run.results_parquet) as writer:
                writer.add(rows(arguments.made_up, methods))
            if arguments.pictures is not None:
                link_pictures(run, arguments.made_up, methods[1:], arguments.pictures)
            page = render(run)
        found = [opened(page) for _ in range(arguments.repeats)]
        line: dict[str, Any] = {"page, kB": page.stat().st_size // 1000}
        line |= {name: round(statistics.median(each[name] for each in found)) for name in found[0]}
    report("report_opening", [line], arguments.out)


if __name__ == "__main__":
    main()
