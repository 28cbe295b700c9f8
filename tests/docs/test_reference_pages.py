"""The reference pages are those that the code gives, and nothing in them lacks words."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from drivederain.plugin_contract import HOOKS

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reference_pages() -> ModuleType:
    path = REPOSITORY / "benchmarks" / "reference_pages.py"
    spec = importlib.util.spec_from_file_location("reference_pages", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "plugin-reference.md", "published.md"])
def test_a_page_is_as_the_code_has_it(name: str, reference_pages: ModuleType) -> None:
    there = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    assert there == reference_pages.pages()[name], "run python benchmarks/reference_pages.py docs"
    expected = {
        "commands.md": ("## run", "## plugin check", "| `--methods"),
        "plugin-reference.md": ("### Needs",),
        "published.md": ("| prenet | rain100h | official |", "| prenet | Rain100H | 29.46 | 0.899 | prenet |"),
    }
    for words in expected[name]:
        assert f"\n{words}" in there
    if name != "published.md":
        for line in there.splitlines():
            assert not re.search(r"\| *\|$", line) or line.startswith("| |"), f"without words: {line}"


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_and_tested(hook: str) -> None:
    assert f"### {hook}\n" in (REPOSITORY / "docs" / "plugin-reference.md").read_text(encoding="utf-8")
    assert hook in (REPOSITORY / "docs" / "plugins.md").read_text(encoding="utf-8")
    tests = [path for path in (REPOSITORY / "tests").rglob("test_*.py") if path != Path(__file__)]
    assert any(hook in path.read_text(encoding="utf-8") for path in tests), f"no test calls {hook}"
