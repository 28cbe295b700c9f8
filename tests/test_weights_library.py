"""The user's library of weights: what is fetched or added is found again, and nothing leaves its folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from drivederain import weights_library as module
from drivederain.errors import WeightsError
from drivederain.specs import MethodSpec, WeightsSpec
from drivederain.weights_library import ABOUT, WeightsLibrary

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def method(source: str = "https://example.com/net%20latest.pth", **more: Any) -> MethodSpec:
    given = {"name": "set", "sha256": SHA256, "licence": "MIT", "trained_on": "rain", "weights_class": "official"}
    weights = WeightsSpec(source=source, **(given | more))
    return MethodSpec("mine", "mine", "stage", "mine.method:Mine", weights=(weights,))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that were fetched, without a network."""
    addresses: list[str] = []

    def fake(address: str, target: Path, **more: Any) -> str:
        addresses.append(address)
        target.write_bytes(CONTENT)
        return SHA256

    monkeypatch.setattr(module, "download", fake)
    return addresses


def test_what_was_fetched_is_there_and_not_fetched_again(tmp_path: Path, asked: list[str]) -> None:
    library, spec = WeightsLibrary(tmp_path), method()
    entry = library.fetch(spec, spec.weights[0])
    assert (entry.name, entry.weights_class, entry.recorded) == ("set", "official", True)
    assert library.path(entry) == tmp_path / "library" / "mine" / "set" / "weights.pth"
    assert library.fetch(spec, spec.weights[0]) == entry and len(asked) == 1
    assert library.entries("mine") == library.entries() == [entry] and library.entries("other") == []
    library.path(entry).write_bytes(b"changed")
    assert library.problem(entry) == "weights.pth: its SHA-256 is not the recorded one"
    library.fetch(spec, spec.weights[0])
    assert len(asked) == 2 and library.problem(entry) == ""
    library.path(entry).unlink()
    assert library.problem(entry) == "weights.pth is gone"


@pytest.mark.parametrize("name", ["..", ".hidden", "about.json", "a/../../b", "x" * 200, "", "%2e%2e%2fevil.pth"])
def test_a_name_in_an_address_cannot_leave_its_folder(tmp_path: Path, asked: list[str], name: str) -> None:
    library, spec = WeightsLibrary(tmp_path), method(f"https://example.com/{name}")
    path = library.path(library.fetch(spec, spec.weights[0]))
    assert path.parent == tmp_path / "library" / "mine" / "set" and path.name != ABOUT
    assert path.read_bytes() == CONTENT


def test_what_ships_is_not_fetched(tmp_path: Path) -> None:
    spec = method("package:mine/weights.safetensors")
    with pytest.raises(WeightsError, match="ships with its plugin"):
        WeightsLibrary(tmp_path).fetch(spec, spec.weights[0])


def test_a_file_is_added_under_its_name(tmp_path: Path) -> None:
    file = tmp_path / "My Net.v2.pth"
    file.write_bytes(b"others")
    library = WeightsLibrary(tmp_path / "cache")
    entry = library.add(method(), file)
    assert (entry.name, entry.file, entry.weights_class) == ("my-net-v2", "weights.pth", "given")
    assert (entry.source, entry.recorded) == ("My Net.v2.pth", False)
    file.write_bytes(b"changed since")
    with pytest.raises(WeightsError, match=r"other weights called 'my-net-v2' already. Give another --name"):
        library.add(method(), file)
    assert library.add(method(), file, "second").name == "second"
    with pytest.raises(WeightsError, match="no usable name"):
        library.add(method(), file, "../evil")
    with pytest.raises(WeightsError, match="there is no such file"):
        library.add(method(), tmp_path / "nowhere.pth")


def test_official_weights_are_known_by_their_hash(tmp_path: Path) -> None:
    file = tmp_path / "whatever.bin"
    file.write_bytes(CONTENT)
    entry = WeightsLibrary(tmp_path / "cache").add(method(), file)
    assert (entry.name, entry.weights_class, entry.licence, entry.recorded) == ("set", "official", "MIT", True)


def test_tensors_of_a_bundle_come_with_its_index(tmp_path: Path) -> None:
    (tmp_path / "model.index").write_bytes(b"index")
    (tmp_path / "model.data-00000-of-00001").write_bytes(b"data")
    (tmp_path / "model.meta").write_bytes(b"a graph")
    library = WeightsLibrary(tmp_path / "cache")
    entry = library.add(method(), tmp_path / "model.index")
    folder = library.path(entry).parent
    assert {path.name for path in folder.iterdir()} == {"model.index", "model.data-00000-of-00001", ABOUT}
    assert library.entries() == [entry] and library.problem(entry) == ""
    (folder / "model.data-00000-of-00001").write_bytes(b"other")
    assert library.problem(entry) == "model.data-00000-of-00001: its SHA-256 is not the recorded one"
    (folder / "model.data-00000-of-00001").unlink()
    assert library.problem(entry) == "model.data-00000-of-00001 is gone"


def test_a_damaged_record_is_named(tmp_path: Path, asked: list[str]) -> None:
    library, spec = WeightsLibrary(tmp_path), method()
    entry = library.fetch(spec, spec.weights[0])
    about = library.path(entry).with_name(ABOUT)
    for broken in ("{", "[]", json.dumps({"method": "mine"}), about.read_text().replace("weights.pth", "../../x")):
        about.write_text(broken)
        with pytest.raises(WeightsError, match=r"about\.json: damaged .*Remove its folder"):
            library.entries()
