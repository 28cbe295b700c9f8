"""A cache must not give what an earlier version of a plugin's code made."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from drivederain.plugin_code import code_of
from drivederain.registry import Registry


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On the path of modules."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_every_python_file_of_the_package_counts(folder: Path) -> None:
    package = folder / "somebodys_package"
    (package / "deep").mkdir(parents=True)
    for name in ("__init__.py", "method.py", "deep/blocks.py"):
        (package / name).write_text("A = 1")
    first = code_of("somebodys_package.method:Method")
    assert len(first) == 64 and code_of("somebodys_package.other:Method") == first
    assert "somebodys_package" not in sys.modules, "nothing is imported"
    (package / "notes.txt").write_text("no code")
    assert code_of("somebodys_package.method:Method") == first
    (package / "deep" / "blocks.py").write_text("A = 2")
    second = code_of("somebodys_package.method:Method")
    (package / "deep" / "blocks.py").rename(package / "deep" / "others.py")
    assert len({first, second, code_of("somebodys_package.method:Method")}) == 3


def test_of_a_single_file_and_of_a_namespace(folder: Path) -> None:
    (folder / "somebodys_module.py").write_text("A = 1")
    first = code_of("somebodys_module:Method")
    (folder / "somebodys_module.py").write_text("A = 2")
    assert first and code_of("somebodys_module:Method") not in ("", first)
    (folder / "somebodys_space" / "one").mkdir(parents=True)
    (folder / "somebodys_space" / "one" / "method.py").write_text("A = 1")
    (folder / "somebodys_space" / "other.py").write_text("A = 1")
    first = code_of("somebodys_space.one.method:Method")
    (folder / "somebodys_space" / "other.py").write_text("A = 2")
    assert first and code_of("somebodys_space.one.method:Method") == first
    (folder / "somebodys_space" / "one" / "method.py").write_text("A = 2")
    assert code_of("somebodys_space.one.method:Method") not in ("", first)
    package = folder / "somebodys_space" / "two"
    package.mkdir()
    for name in ("__init__.py", "method.py", "network.py"):
        (package / name).write_text("A = 1")
    first = code_of("somebodys_space.two.method:Method")
    (package / "network.py").write_text("A = 2")
    assert first and code_of("somebodys_space.two.method:Method") not in ("", first)


def test_what_comes_with_the_program_has_its_version_instead() -> None:
    registry = Registry.discover()
    for spec in (*registry.methods.values(), *registry.metrics.values()):
        assert code_of(spec.implementation) == "", spec.name


def test_what_is_not_there_has_no_code() -> None:
    assert code_of("nowhere_at_all.method:Method") == ""
