"""From the text of a spec to a class."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivederain.errors import SpecError
from drivederain.implementation import load_implementation, missing_modules


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that modules are imported from; they are forgotten after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_class_is_imported_and_returned() -> None:
    assert load_implementation("collections:OrderedDict").__name__ == "OrderedDict"


def test_missing_modules_are_found_without_import(on_path: Path) -> None:
    (on_path / "explosive_on_import.py").write_text("raise RuntimeError('imported')\n")
    wanted = ("json", "explosive_on_import", "not_here_at_all", "not_here_either.sub")
    assert missing_modules(wanted) == ("not_here_at_all", "not_here_either.sub")


def test_missing_requirement_says_what_to_install() -> None:
    with pytest.raises(SpecError, match=r'method x needs spandrelx, .*pip install "drivederain\[nc\]"'):
        load_implementation("collections:OrderedDict", owner="method x", requires=("json", "spandrelx"), extra="nc")


def test_module_that_its_import_misses_is_named(on_path: Path) -> None:
    (on_path / "needs_more.py").write_text("import drivederain_not_there\n")
    with pytest.raises(SpecError, match=r"needs_more needs 'drivederain_not_there', which is not installed\.$"):
        load_implementation("needs_more:Thing")
    with pytest.raises(SpecError, match=r'is not installed\. Install with: python -m pip install "other\[more\]"'):
        load_implementation("needs_more:Thing", extra="more", distribution="other")


@pytest.mark.parametrize(
    ("implementation", "message"),
    [
        ("broken_module:Thing", "m: importing broken_module failed: ZeroDivisionError: division by zero"),
        ("fine_module:Ting", "m: fine_module has no 'Ting'. Did you mean 'Thing'"),
        ("fine_module:function", "m: fine_module:function is not a class but function"),
        ("fine_module", "is not of the form 'package.module:Class'"),
        ("fine_module:Thing.inner", "is not of the form 'package.module:Class'"),
    ],
)
def test_what_cannot_be_loaded_is_said(on_path: Path, implementation: str, message: str) -> None:
    (on_path / "broken_module.py").write_text("1 / 0\n")
    (on_path / "fine_module.py").write_text("class Thing: ...\ndef function(): ...\n")
    with pytest.raises(SpecError) as caught:
        load_implementation(implementation, owner="m")
    assert message in str(caught.value)
