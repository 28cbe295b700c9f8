from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.engine.doctor import examine as module
from drivederain.engine.doctor.check import Check
from drivederain.registry import Registry

WITHOUT_TORCH = ["Python and torch", "packages", "storage", "plugins", "methods"]


def examined(cache: Path) -> list[Check]:
    return list(module.examine(Registry.discover(), cache, cache / "runs", ("unet", "diffusion", "restormer")))


def test_everything_is_looked_at_and_the_default_run_works(cache: Path) -> None:
    checks = examined(cache)
    assert list(dict.fromkeys(each.feature for each in checks)) == [
        *WITHOUT_TORCH,
        "weights",
        "accelerator",
        "processes",
    ]
    assert [each for each in checks if each.fails] == []
    assert all(each.remedy for each in checks if each.status != "ok")
    names = {each.name for each in checks}
    assert {"unet", "unet compact", "LPIPS trunk", "LPIPS heads", "extra nc", "cache", "child"} <= names
    assert not list(cache.iterdir())


def test_without_torch_what_needs_none_is_still_looked_at(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Check("Python and torch", "torch", "missing", "torch is not installed", "install it", needed=True)
    monkeypatch.setattr(module, "check_import", lambda *_: gone)
    checks = examined(cache)
    assert list(dict.fromkeys(each.feature for each in checks)) == WITHOUT_TORCH
    assert [each for each in checks if each.fails] == [gone]
