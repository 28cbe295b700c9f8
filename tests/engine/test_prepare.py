"""Stages made ready: which weights are used, with which options, and what is warned of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from drivederain.engine.display import Silent
from drivederain.engine.named_weights import weights_named
from drivederain.engine.prepare import Preparation
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.errors import OptionError
from drivederain.registry import Registry
from drivederain.specs import WeightsSpec
from drivederain.weights import package_file, read_weights, serialise, sha256_of
from drivederain.weights_library import WeightsLibrary


class Warned(Silent):
    """Keeps what it is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def prepared(registry: Registry, tmp_path: Path, chain: str, **more: Any) -> tuple[ReadyStage, list[str]]:
    settings = RunSettings((chain,), ("scenes:1",), tmp_path / "run", tmp_path / "cache", train=False, **more)
    display = Warned()
    preparation = Preparation(settings, registry, torch.device("cpu"), display)
    preparation.check([registry.chain(chain)])
    return preparation.stage(registry.chain(chain)), display.warnings


def shipped_file(registry: Registry, name: str) -> Path:
    return package_file(registry.method(name).weights[0].source)


def with_metadata(source: Path, path: Path, **changes: Any) -> Path:
    weights = read_weights(source)
    path.write_bytes(serialise(weights.tensors, {**weights.metadata, **changes}, half=True))
    return path


def test_an_option_that_needs_no_other_weights_keeps_those_that_ship(registry: Registry, tmp_path: Path) -> None:
    stage, warnings = prepared(registry, tmp_path, "unet+diffusion", options={"diffusion": {"blend": "0.5"}})
    assert stage.usable, stage.problem
    assert stage.found is not None and stage.found.weights_class == "shipped"
    assert (stage.options.blend, stage.options.channels) == (0.5, (48, 64, 96, 128, 160))
    assert warnings == []


def test_an_option_that_decides_the_network_asks_for_other_weights(registry: Registry, tmp_path: Path) -> None:
    stage, _ = prepared(registry, tmp_path, "unet+diffusion", options={"diffusion": {"detail": "8"}})
    assert stage.problem[0] == "skipped" and "diffusion has no weights" in stage.problem[1]


def test_what_is_typed_must_fit_what_came_with_the_weights(registry: Registry, tmp_path: Path) -> None:
    """And not the defaults, of which it may be no part."""
    architecture = {"model": "instruct-pix2pix", "base": str(tmp_path)}
    path = with_metadata(shipped_file(registry, "diffusion"), tmp_path / "w.safetensors", architecture=architecture)
    weights = {"diffusion": path}
    stage, _ = prepared(registry, tmp_path, "unet+diffusion", weights=weights, options={"diffusion": {"average": "4"}})
    assert (stage.options.model, stage.options.average) == ("instruct-pix2pix", 4)
    with pytest.raises(OptionError, match="no noise is drawn"):
        prepared(registry, tmp_path, "unet+diffusion", options={"diffusion": {"average": "4"}})


def test_a_refiner_behind_other_weights_of_its_stage_is_warned_of(registry: Registry, tmp_path: Path) -> None:
    other = with_metadata(shipped_file(registry, "unet"), tmp_path / "other.safetensors", budget="another")
    _, warnings = prepared(registry, tmp_path, "unet+diffusion", weights={"unet": other})
    assert warnings == ["unet+diffusion: diffusion's weights were trained behind other weights of unet"]


def test_a_file_with_the_hash_of_official_weights_is_these(registry: Registry, tmp_path: Path) -> None:
    path = with_metadata(shipped_file(registry, "unet"), tmp_path / "mine.safetensors", budget="another")
    official = WeightsSpec(
        name="theirs",
        source="https://example.org/theirs.safetensors",
        sha256=sha256_of(path),
        licence="MIT",
        trained_on="their pairs",
        weights_class="official",
    )
    spec = replace(registry.method("unet"), weights=(official,))
    found = weights_named(WeightsLibrary(tmp_path), spec, path)
    assert (found.weights_class, found.name, found.trained_on) == ("official", "theirs", "their pairs")
    other = with_metadata(path, tmp_path / "other.safetensors", budget="a third")
    assert weights_named(WeightsLibrary(tmp_path), spec, other).weights_class == "given"
