"""Encoder weights: from a file, from the Hugging Face cache, downloaded only if allowed. The network is faked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import encoders, get_encoder
from torch import Tensor, nn

from drivederain.errors import WeightsError
from drivederain_methods.unet import encoder_weights
from drivederain_methods.unet.encoder_weights import load_encoder_weights
from drivederain_methods.unet.options import UNetOptions

PINNED = encoders["resnet18"]["pretrained_settings"]["imagenet"]
Fetch = Callable[..., str]


def encoder(name: str = "resnet18", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    made: nn.Module = get_encoder(name, weights=None)
    return made


def options(wanted: str = "imagenet", name: str = "resnet18") -> UNetOptions:
    return UNetOptions(encoder=name, encoder_weights=wanted)


def same(state: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(value, other[key]) for key, value in state.items())


@pytest.fixture(scope="module")
def trained() -> dict[str, Tensor]:
    """What stands for ImageNet weights, with the classifier's head that such files carry."""
    state = {key: value.contiguous() for key, value in encoder(seed=1).state_dict().items()}
    return state | {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}


@pytest.fixture
def file(tmp_path: Path, trained: dict[str, Tensor]) -> Path:
    path = tmp_path / "model.safetensors"
    save_file(trained, path)
    return path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, file: Path) -> list[dict[str, Any]]:
    """A hub that has the file; returns the calls."""
    calls: list[dict[str, Any]] = []

    def fetch(repository: str, **arguments: Any) -> str:
        calls.append({"repository": repository, **arguments})
        return str(file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    return calls


def test_from_a_file_with_a_head_and_with_prefixes(tmp_path: Path, file: Path, trained: dict[str, Tensor]) -> None:
    one = encoder()
    assert load_encoder_weights(one, options(str(file)), download=False) == "from the file model.safetensors"
    assert same(one.state_dict(), trained)
    prefixed = tmp_path / "encoder.pth"
    without_counts = {key: value for key, value in trained.items() if not key.endswith("num_batches_tracked")}
    torch.save({"state_dict": {f"encoder.{key}": value for key, value in without_counts.items()}}, prefixed)
    two = encoder()
    load_encoder_weights(two, options(str(prefixed)), download=False)
    assert same({key: value for key, value in two.state_dict().items() if key in without_counts}, trained)


def test_timm_s_files_fit_smp_s_wrapper(tmp_path: Path) -> None:
    stored = encoder("tu-resnet18", seed=1).state_dict()
    path = tmp_path / "timm.safetensors"
    save_file({key.removeprefix("model."): value.contiguous() for key, value in stored.items()}, path)
    one = encoder("tu-resnet18")
    load_encoder_weights(one, options(str(path), "tu-resnet18"), download=False)
    assert same(one.state_dict(), stored)


def test_files_that_do_not_fit(tmp_path: Path, file: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"model\.safetensors: .* encoder resnet34: layer.* is missing \(and \d+ more\)"
    ):
        load_encoder_weights(encoder("resnet34"), options(str(file), "resnet34"), download=False)
    wrong = encoder().state_dict() | {"conv1.weight": torch.zeros(64, 1, 7, 7)}
    save_file({key: value.contiguous() for key, value in wrong.items()}, tmp_path / "grey.safetensors")
    with pytest.raises(WeightsError, match=r"grey\.safetensors: .*conv1\.weight is of another shape\. Give"):
        load_encoder_weights(encoder(), options(str(tmp_path / "grey.safetensors")), download=False)
    with pytest.raises(WeightsError, match=r"unet\.encoder_weights=image-net: there is no such file"):
        load_encoder_weights(encoder(), options("image-net"), download=False)


def test_none_touches_nothing(hub: list[dict[str, Any]]) -> None:
    one = encoder()
    assert load_encoder_weights(one, options("none"), download=True) == "random (encoder_weights=none)"
    assert same(one.state_dict(), encoder().state_dict())
    assert hub == []


def test_without_download_only_the_cache_is_asked(hub: list[dict[str, Any]], trained: dict[str, Tensor]) -> None:
    one = encoder()
    words = load_encoder_weights(one, options(), download=False)
    assert words == f"ImageNet ({PINNED['repo_id']}, from the cache)"
    assert same(one.state_dict(), trained)
    assert [(call["local_files_only"], call["revision"]) for call in hub] == [(True, PINNED["revision"])]


def test_download_where_it_is_allowed(hub: list[dict[str, Any]], trained: dict[str, Tensor]) -> None:
    one = encoder()
    assert load_encoder_weights(one, options(), download=True) == f"ImageNet ({PINNED['repo_id']}, with --download)"
    assert same(one.state_dict(), trained)
    assert [(call["repository"], call["filename"], call["local_files_only"]) for call in hub] == [
        (PINNED["repo_id"], "model.safetensors", False)
    ]


def test_the_real_hub_client_reads_its_cache_and_knows_when_it_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: dict[str, Tensor]
) -> None:
    """Nothing is faked here but the place of the cache; tests run offline."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    one = encoder()
    words = load_encoder_weights(one, options(), download=False)
    assert words == "random (ImageNet weights are not in the cache; --download fetches them)"
    assert same(one.state_dict(), encoder().state_dict())
    with pytest.raises(WeightsError, match=r"could not be downloaded.*unet\.encoder_weights=none"):
        load_encoder_weights(encoder(), options(), download=True)
    folder = tmp_path / f"models--{PINNED['repo_id'].replace('/', '--')}" / "snapshots" / PINNED["revision"]
    folder.mkdir(parents=True)
    save_file(trained, folder / "model.safetensors")
    for download in (False, True):
        assert "ImageNet" in load_encoder_weights(one, options(), download=download)
        assert same(one.state_dict(), trained)


@pytest.mark.parametrize("error", [OSError("disk full"), RuntimeError("xet"), ConnectionError("reset")])
def test_a_download_that_fails_says_what_else_to_do(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*arguments: Any, **more: Any) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(WeightsError, match=rf"could not be downloaded \({type(error).__name__}: {error}\)"):
        load_encoder_weights(encoder(), options(), download=True)


def test_a_download_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*arguments: Any, **more: Any) -> str:
        released.wait(60)
        return ""

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hang)
    monkeypatch.setattr(encoder_weights, "DOWNLOAD_SECONDS", 0.2)
    try:
        with pytest.raises(WeightsError, match=r"TimeoutError: nothing came within 0\.2 seconds"):
            load_encoder_weights(encoder(), options(), download=True)
    finally:
        released.set()


def test_encoders_without_known_weights_say_so(hub: list[dict[str, Any]]) -> None:
    words = load_encoder_weights(encoder(), options(name="tu-test_vit"), download=True)
    assert words.startswith("random (no ImageNet weights are known") or hub
    assert encoder_weights._source("tu-resnet18") == ("timm/resnet18.a1_in1k", None)
    assert encoder_weights._source("resnet18") == (PINNED["repo_id"], PINNED["revision"])
    assert encoder_weights._source("tu-nothing-of-this-name") == (None, None)
