"""Headless Chromium, which opens pages from files with the network off; tests skip where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Opened:
    """A page, and what went wrong in it."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, uncaught exceptions."""
    requests: list[str] = field(default_factory=list)
    """Addresses asked for other than ``data:`` and the page itself."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium here: `apt-get install chromium`")
    with sync_api.sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []  # root may not use Chromium's sandbox
        launched = playwright.chromium.launch(executable_path=found, args=[*options, "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """``visit(path, width=1440, **context)`` opens a file in a window of its own."""
    contexts = []

    def open_page(path: Path, width: int = 1440, height: int = 1000, **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        opened = Opened(context.new_page())
        address = path.resolve().as_uri()

        def note(request: Any) -> None:
            if not request.url.startswith("data:") and request.url.split("#")[0] != address:
                opened.requests.append(request.url)

        opened.page.on("console", lambda told: opened.complaints.append(f"{told.type}: {told.text}"))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("request", note)
        opened.page.goto(address)
        return opened

    yield open_page
    for context in contexts:
        context.close()
