"""Commands and links in README.md and docs/ exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [
    page
    for page in (REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
    if page.exists()
]
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each ``drivederain-bench`` command in the page's fenced blocks."""
    for block in FENCE.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\||;", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True, posix=True) if "drivederain-bench " in part else []
                if "drivederain-bench" in words:
                    yield words[words.index("drivederain-bench") + 1 :]


@cache
def help_text(verb: str) -> str:
    command = [sys.executable, "-m", "drivederain.cli.main", *([verb] if verb else []), "--help"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert process.returncode == 0, f"there is no command {verb!r}: {process.stderr}"
    return process.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_documented_commands_and_options_exist(page: Path) -> None:
    for words in commands(page):
        verb = words[0] if words and not words[0].startswith("-") else ""
        for option in (word.partition("=")[0] for word in words if word.startswith("--")):
            assert re.search(rf"{re.escape(option)}\b", help_text(verb)), f"{page.name}: {verb} has no {option}"
        assert help_text(verb)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_relative_links_lead_to_files(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:|#", target):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target} is not there"


def test_the_readme_is_checked_at_all() -> None:
    assert any(words[:1] == ["run"] for words in commands(REPOSITORY / "README.md"))
