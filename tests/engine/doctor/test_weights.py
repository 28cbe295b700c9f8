from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from drivederain.engine.doctor.weights import check_all_of, check_file, check_lpips_heads, check_weights
from drivederain.specs import MethodSpec, WeightsSpec
from drivederain.weights import serialise
from drivederain.weights_library import WeightsLibrary

METHOD = MethodSpec("tiny", "a method", "stage", "json:JSONDecoder")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsSpec:
    """Weights that ship with a package, which is in the test's folder."""
    package = tmp_path / "tiny_method"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "card.json").write_text('{"steps": 3}')
    content = serialise({"weight": torch.ones(2)}, {})
    (package / "tiny.safetensors").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tiny_method", raising=False)
    return WeightsSpec(
        name="compact",
        source="package:tiny_method/tiny.safetensors",
        sha256=hashlib.sha256(content).hexdigest(),
        licence="Apache-2.0",
        trained_on="nothing",
        weights_class="shipped",
        card="package:tiny_method/card.json",
    )


def test_whole_weights(weights: WeightsSpec) -> None:
    check = check_weights(METHOD, weights, needed=True)
    assert check.status == "ok" and check.name == "tiny compact" and "tiny.safetensors" in check.detail


def test_damaged_weights(weights: WeightsSpec, tmp_path: Path) -> None:
    path = tmp_path / "tiny_method" / "tiny.safetensors"
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    check = check_weights(METHOD, weights, needed=True)
    assert check.fails and check.status == "broken" and "SHA-256" in check.detail and str(path) in check.detail
    assert not check_weights(METHOD, weights, needed=False).fails
    path.write_bytes(bytes(damaged[:5]))
    assert "damaged" in check_weights(METHOD, weights, needed=True).detail


def test_missing_weights_and_a_damaged_card(weights: WeightsSpec, tmp_path: Path) -> None:
    (tmp_path / "tiny_method" / "card.json").write_text("{")
    assert "model card" in check_weights(METHOD, weights, needed=True).detail
    (tmp_path / "tiny_method" / "tiny.safetensors").unlink()
    check = check_weights(METHOD, weights, needed=True)
    assert check.fails and "not in the installed package" in check.detail and check.remedy


def test_weights_of_an_address_are_for_the_user_to_fetch(weights: WeightsSpec) -> None:
    check = check_weights(METHOD, replace(weights, source="https://example.org/tiny.pth"), needed=False)
    assert check.status == "missing" and "https://example.org/tiny.pth" in check.detail
    assert "drivederain-bench weights fetch tiny:compact" in check.remedy


def test_what_was_fetched_or_added_is_looked_at_in_the_library(weights: WeightsSpec, tmp_path: Path) -> None:
    content = b"official"
    official = replace(weights, source="https://example.org/tiny.pth", sha256=hashlib.sha256(content).hexdigest())
    method = replace(METHOD, weights=(official,))
    library = WeightsLibrary(tmp_path / "cache")
    assert [each.status for each in check_all_of(method, library, needed=False)] == ["missing"]
    for name, given in (("tiny.pth", content), ("mine.pth", b"mine")):
        (tmp_path / name).write_bytes(given)
        library.add(method, tmp_path / name)
    checks = {each.name: each for each in check_all_of(method, library, needed=False)}
    assert {name: each.status for name, each in checks.items()} == {"tiny compact": "ok", "tiny mine": "ok"}
    mine = library.path(next(each for each in library.entries("tiny") if each.name == "mine"))
    mine.write_bytes(b"other")
    broken = {each.name: each for each in check_all_of(method, library, needed=False)}["tiny mine"]
    assert broken.status == "broken" and str(mine.parent) in broken.remedy and not broken.fails
    (mine.parent / "about.json").write_text("{")
    assert [each.status for each in check_all_of(method, library, needed=False)] == ["broken", "missing"]


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "trunk.safetensors"
    digest = hashlib.sha256(b"trunk").hexdigest()
    assert check_file("trunk", path, digest, needed=True).status == "missing"
    path.write_bytes(b"trunk")
    assert check_file("trunk", path, digest, needed=True).status == "ok"
    path.write_bytes(b"Trunk")
    assert check_file("trunk", path, digest, needed=True).status == "broken"
    assert "cannot be read" in check_file("trunk", tmp_path, digest, needed=True).detail


def test_lpips_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_lpips_heads().status == "ok"
    assert "not installed" in check_lpips_heads("lpips_that_is_not_there").detail
    (tmp_path / "lpips_without_heads").mkdir()
    (tmp_path / "lpips_without_heads" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    check = check_lpips_heads("lpips_without_heads")
    assert check.fails and "alex.pth is not there" in check.detail
