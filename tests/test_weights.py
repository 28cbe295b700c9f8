"""Weights: found, checked, and read without running what they carry."""

from __future__ import annotations

import json
import os
import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from drivederain.errors import WeightsError
from drivederain.specs import MethodSpec, WeightsSpec
from drivederain.weights import (
    WeightsCache,
    given,
    load_state,
    package_file,
    read_weights,
    serialise,
    sha256_of,
    shipped,
)

TENSORS = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([0.5, -1.0])}


class RunsCode:
    """What a malicious checkpoint holds: unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def test_safetensors_come_back_with_their_metadata(tmp_path: Path) -> None:
    path = tmp_path / "w.SafeTensors"
    path.write_bytes(serialise(TENSORS, {"architecture": {"width": 2}, "steps": 3}))
    read = read_weights(path, sha256=sha256_of(path))
    assert all(torch.equal(read.tensors[name], value) for name, value in TENSORS.items())
    assert read.metadata == {"architecture": {"width": 2}, "steps": 3} and read.path == path


def test_the_same_weights_give_the_same_bytes() -> None:
    turned = dict(reversed(TENSORS.items()))
    assert serialise(TENSORS, {"a": 1, "b": 2}) == serialise(turned, {"b": 2, "a": 1})


def test_halves_become_the_type_of_the_network(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    path.write_bytes(serialise(TENSORS, {}, half=True))
    read = read_weights(path)
    assert read.tensors["weight"].dtype == torch.float16
    network = nn.Linear(3, 2)
    load_state(network, read)
    assert network.weight.dtype == torch.float32 and torch.equal(network.weight, TENSORS["weight"])


@pytest.mark.parametrize("outer", ["params", "params_ema", "state_dict", "net", "model", None])
def test_layouts_of_official_checkpoints(tmp_path: Path, outer: str | None) -> None:
    state = {f"module.{name}": value for name, value in TENSORS.items()}
    torch.save({outer: state, "epoch": 3} if outer else state, tmp_path / "w.pth")
    read = read_weights(tmp_path / "w.pth")
    assert set(read.tensors) == set(TENSORS) and read.metadata == {}


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    path, trap = tmp_path / "evil.pth", tmp_path / "it-ran"
    torch.save({"state_dict": TENSORS, "extra": RunsCode(trap)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"evil\.pth: refused, for it is damaged, or reading it would run code"):
        read_weights(path)
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(RunsCode(trap)))
    with pytest.raises(WeightsError, match=r"plain\.pkl: (refused|damaged)"):
        read_weights(tmp_path / "plain.pkl")
    assert not trap.exists()


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, 5000])
def test_damaged_files_are_named(tmp_path: Path, name: str, length: int) -> None:
    rng = np.random.default_rng(length)
    (tmp_path / name).write_bytes(rng.integers(0, 256, length, dtype=np.uint8).tobytes())
    with pytest.raises(WeightsError, match=rf"{name}: (damaged|refused)"):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_every_cut_is_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("pth"):
        torch.save(TENSORS, path)
    else:
        path.write_bytes(serialise(TENSORS, {}))
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 1, max(len(whole) // 20, 1)):
        path.write_bytes(whole[:cut])
        with pytest.raises(WeightsError, match=rf"{name}: (damaged|refused)"):
            read_weights(path)


def test_other_refusals_name_file_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"there is no such weights file\. Check the path given with --weights METHOD=PATH"
    ):
        read_weights(tmp_path / "nowhere.pth")
    with pytest.raises(WeightsError, match="this is a folder"):
        given(tmp_path)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match=r"list\.pth: it holds no state dict"):
        read_weights(tmp_path / "list.pth")
    torch.save(TENSORS, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"not the recorded one \(SHA-256 differs\)"):
        read_weights(tmp_path / "w.pth", sha256="0" * 64)


def test_another_architecture_is_told_apart(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(4, 4), "scale": torch.zeros(1)}, tmp_path / "w.pth")
    words = r"1 keys missing \(bias\), 1 keys unknown \(scale\), 1 of another shape \(weight\)\. Give the options"
    with pytest.raises(WeightsError, match=words):
        load_state(nn.Linear(3, 2), read_weights(tmp_path / "w.pth"))


def test_given_weights_say_what_is_known(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "w.pth")
    stranger = given(tmp_path / "w.pth")
    assert (stranger.weights_class, stranger.name, stranger.steps) == ("given", "w.pth", 0)
    assert stranger.sha256 == sha256_of(tmp_path / "w.pth") and stranger.trained_on == "not recorded in the file"
    about = {
        "architecture": {"width": 2},
        "budget": "9 steps",
        "steps": 9,
        "training_pictures": ["a", "b"],
        "behind": "u",
    }
    (tmp_path / "ours.safetensors").write_bytes(serialise(TENSORS, about))
    ours = given(tmp_path / "ours.safetensors")
    assert (ours.steps, ours.budget, ours.behind, ours.architecture) == (9, "9 steps", "u", {"width": 2})
    assert ours.training_pictures == {"a", "b"}


@pytest.mark.parametrize("about", ["[]", '{"steps": "x", "training_pictures": 3, "architecture": []}', "{"])
def test_metadata_that_somebody_else_wrote(tmp_path: Path, about: str) -> None:
    path = tmp_path / "w.safetensors"
    save_file(TENSORS, path, metadata={"drivederain": about})
    if about == "{":
        with pytest.raises(WeightsError, match="damaged"):
            given(path)
    else:
        found = given(path)
        assert (found.steps, found.training_pictures, found.architecture) == (0, frozenset(), {})


def test_package_files_stay_in_their_package() -> None:
    assert package_file("package:drivederain/py.typed").name == "py.typed"
    for source in ("package:drivederain/../setup.py", "https://example.org/w", "package:drivederain"):
        with pytest.raises(WeightsError, match="does not name a file of a package"):
            package_file(source)
    with pytest.raises(WeightsError, match="the package no_such_package is not installed"):
        package_file("package:no_such_package/w.safetensors")
    with pytest.raises(WeightsError, match="the file is not in the installed package"):
        package_file("package:drivederain/no-such-file")


def test_shipped_weights_and_their_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_weights_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "w.safetensors").write_bytes(serialise(TENSORS, {"architecture": {"width": 2}, "steps": 1}))
    (package / "card.json").write_text(json.dumps({"steps": 700, "budget": "700 steps", "training_pictures": ["p"]}))
    monkeypatch.syspath_prepend(tmp_path)
    spec = WeightsSpec(
        name="small",
        source="package:some_weights_package/w.safetensors",
        sha256="00",
        licence="Apache-2.0",
        trained_on="scenes",
        weights_class="shipped",
        card="package:some_weights_package/card.json",
    )
    found = shipped(spec)
    assert (found.steps, found.budget, found.training_pictures) == (700, "700 steps", {"p"})
    assert found.architecture == {"width": 2} and found.licence == "Apache-2.0"
    (package / "card.json").write_text("{")
    with pytest.raises(WeightsError, match="the model card is damaged"):
        shipped(spec)


def test_what_is_shipped_is_what_is_recorded() -> None:
    from drivederain.registry import Registry

    specs = [(name, weights) for name, spec in Registry.discover().methods.items() for weights in spec.weights]
    for name, weights in specs:
        if weights.source.startswith("package:"):
            found = shipped(weights)
            assert sha256_of(found.path) == weights.sha256, f"{name}: {weights.source}"
            assert found.training_pictures, f"{name}: its card names no training pictures"
            if found.behind:
                stages = {each.sha256 for owner, each in specs if owner == found.behind}
                assert found.about["behind_sha256"] in stages, f"{name}: trained behind weights that are not shipped"


def test_the_cache_puts_damaged_weights_aside(tmp_path: Path) -> None:
    cache = WeightsCache(tmp_path)
    spec = MethodSpec("unet", "", "stage", "a.b:C")
    assert cache.find(spec, "k" * 64) is None
    path = cache.path("unet", "k" * 64)
    path.parent.mkdir(parents=True)
    path.write_bytes(serialise(TENSORS, {"budget": "3 steps", "steps": 3, "training_pictures": ["p"]}))
    found = cache.find(spec, "k" * 64)
    assert found is not None and found.weights_class == "trained here" and found.training_pictures == {"p"}
    path.write_bytes(path.read_bytes()[:20])
    assert cache.find(spec, "k" * 64) is None
    assert path.with_suffix(".damaged").is_file() and not path.exists()


def test_all_that_ships_is_small() -> None:
    """30 MiB, which a checkout and a wheel hold for everybody. Networks of the losses and metrics are among it."""
    packages = ("drivederain", "drivederain_methods", "drivederain_reports")
    folders = [Path(find_spec(name).submodule_search_locations[0]) for name in packages]  # type: ignore[union-attr,index]
    sizes = {path.name: path.stat().st_size for folder in folders for path in folder.rglob("*.safetensors")}
    assert len(sizes) >= 5 and sum(sizes.values()) <= 30 * 2**20, sizes
