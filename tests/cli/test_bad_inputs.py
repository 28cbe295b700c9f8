"""Each bad input of ``bad_inputs.py`` gets the error a user needs, and nothing is lost by it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import drivederain.engine.prepare
import drivederain.implementation
from drivederain.results.run_folder import RunFolder


def _load() -> ModuleType:
    name = "drivederain_bad_inputs"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("bad_inputs.py"))
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


LIST = _load()


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, make_photos: Any, make_pairs: Any) -> Path:
    """A folder of all the bad inputs, and in ``runs/good`` a run that went well."""
    from drivederain.engine.display import Silent
    from drivederain.engine.run import run_benchmark
    from drivederain.engine.settings import RunSettings
    from drivederain.registry import Registry

    here = tmp_path_factory.mktemp("bad") / "here"
    make_photos(here / "photos")
    make_pairs(here / "pairs")
    settings = RunSettings(
        methods=("identity",),
        data=(f"paired:{here / 'pairs'}",),
        out=here / "runs" / "good",
        cache=here.parent / "cache",
        metrics=("mse",),
        device="cpu",
    )
    run_benchmark(settings, Registry.discover(), Silent())
    LIST.lay_out(here, here / "runs" / "good")
    return here


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    monkeypatch.setenv("DRIVEDERAIN_CACHE", str(place.parent / "cache"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return place


@pytest.mark.parametrize("bad", LIST.BAD_INPUTS, ids=lambda bad: bad.what)
def test_bad_input(bad: Any, here: Path, command: Callable[..., Any]) -> None:
    before = snapshot(here)
    ended = command(*bad.arguments)
    shown = ended.message if bad.status == 2 else " ".join(ended.out.split()) + ended.message
    if bad.status == 1:
        shown += " ".join(map(str, set(RunFolder(here / "runs" / "new").results()["reason"])))
    assert ended.status == bad.status, ended
    for words in bad.says:
        assert words in shown
    assert "Traceback" not in ended.err + ended.out
    if bad.status == 2:
        assert snapshot(here) == before, "a refused command must leave everything as it was"
        assert len(ended.message) < 700, "nobody reads more"
    else:
        results = RunFolder(here / "runs" / "new").results()
        assert set(results[results["method"] == "identity"]["status"]) == {"ok"}
        assert (here / "runs" / "new" / "report" / "index.html").is_file()


def test_no_code_was_run(here: Path) -> None:
    assert not (here / "it-ran").exists()


def test_there_are_enough_of_them() -> None:
    assert len({bad.what for bad in LIST.BAD_INPUTS}) == len(LIST.BAD_INPUTS) >= 20


def test_an_extra_that_is_not_installed(
    here: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(modules: Any) -> tuple[str, ...]:
        return tuple(modules)

    monkeypatch.setattr(drivederain.implementation, "missing_modules", missing)
    monkeypatch.setattr(drivederain.engine.prepare, "missing_modules", missing)
    ended = command(*LIST.run(methods="restormer").split()[:-1], tmp_path / "run")
    results = RunFolder(tmp_path / "run").results()
    lost = results[results["method"] == "restormer"]
    assert ended.status == 1 and set(lost["status"]) == {"skipped"}
    assert 'python -m pip install "drivederain[nc]"' in lost["reason"].iloc[0]
    assert set(results[results["method"] == "identity"]["status"]) == {"ok"}


def test_skip_bad_goes_on_and_lists_the_file(here: Path, command: Callable[..., Any], tmp_path: Path) -> None:
    ended = command(*LIST.run(data="paired:lonely").split()[:-1], tmp_path / "run", "--skip-bad")
    assert ended.status == 0
    record = RunFolder(tmp_path / "run").about()
    assert [problem["file"] for problem in record["problems"]] == ["rainy/photo2.png"]
    images = set(RunFolder(tmp_path / "run").results()["image"])
    assert images == {"photo0", "photo1", "photo0@clear", "photo1@clear"}


def test_derain_skips_bad_pictures_if_asked(here: Path, command: Callable[..., Any], tmp_path: Path) -> None:
    ended = command("derain", "damaged", tmp_path / "out", "--method", "identity", "--skip-bad")
    assert ended.status == 1 and "1 of 2 pictures written" in ended.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["whole.png"]
