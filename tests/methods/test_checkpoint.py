"""``checkpoint:PATH``: files that spandrel recognises, and those that restore no pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from drivederain.engine.device import DeviceRunner
from drivederain.errors import SpecError, WeightsError
from drivederain.implementation import load_implementation
from drivederain.registry import Registry
from drivederain.weights import read_weights

spandrel = pytest.importorskip("spandrel", reason="the extra nc is not installed")


@pytest.fixture(scope="module")
def dncnn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of an architecture of spandrel's own: DnCNN, which denoises."""
    from spandrel.architectures.DnCNN import DnCNN

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "DnCNN Color.v1.pth"
    torch.save(DnCNN(in_nc=3, out_nc=3, nc=8, nb=8, act_mode="R", mode="DnCNN").state_dict(), path)
    return path


def test_a_file_is_a_method_called_after_it(dncnn: Path) -> None:
    registry = Registry.discover()
    spec = registry.method(f"checkpoint:{dncnn}")
    assert (spec.name, spec.family, spec.file) == ("dncnn-color-v1", "checkpoint", str(dncnn))
    assert registry.method("dncnn-color-v1") is registry.method(f"checkpoint:{dncnn}")
    assert registry.chain(f"unet + checkpoint:{dncnn}").name == "unet+dncnn-color-v1"
    assert registry.owner("method", "dncnn-color-v1") == "drivederain"
    assert "dncnn-color-v1" not in registry.methods


def test_names_do_not_clash(dncnn: Path, tmp_path: Path) -> None:
    registry = Registry.discover()
    for name, wanted in (("unet.pth", "checkpoint-unet"), ("7.pth", "checkpoint-7"), ("truth.pth", "checkpoint-truth")):
        (tmp_path / name).write_bytes(dncnn.read_bytes())
        assert registry.method(f"checkpoint:{tmp_path / name}").name == wanted
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "unet.pth").write_bytes(dncnn.read_bytes())
    with pytest.raises(SpecError, match=r"would both be called 'checkpoint-unet'. Link one under another name"):
        registry.method(f"checkpoint:{tmp_path / 'other' / 'unet.pth'}")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("checkpoint", "method 'checkpoint' needs a file: write checkpoint:PATH"),
        ("checkpoint:", "there is no such file. Write checkpoint:PATH"),
        ("checkpoint:nowhere.pth", "checkpoint:nowhere.pth: there is no such file"),
        ("checkpoint:.", "this is a folder"),
        ("unet:file.pth", "method 'unet' takes no file behind a colon"),
        ("chekpoint:x", "there is no method 'chekpoint'. Did you mean 'checkpoint'"),
    ],
)
def test_what_is_typed_wrong_is_said(typed: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        Registry.discover().chain(typed)


def test_it_restores_as_spandrel_does(
    dncnn: Path, make_runner: Callable[..., DeviceRunner], make_picture: Callable[..., NDArray[np.uint8]]
) -> None:
    registry = Registry.discover()
    method = load_implementation(registry.method("checkpoint").implementation)(None)
    runner = make_runner("checkpoint", method, read_weights(dncnn))
    rainy = make_picture(1, 21, 34)
    ours = runner.restore(["a", "b"], [rainy, rainy[::-1].copy()], None)
    official = spandrel.ModelLoader().load_from_file(dncnn).eval()
    tensor = torch.from_numpy(rainy.copy()).permute(2, 0, 1)[None].float() / 255
    wanted = (official(tensor)[0].permute(1, 2, 0) * 255).round().numpy()
    assert np.array_equal(ours[0].pixels, wanted) and not np.array_equal(wanted, rainy)
    facts = method.facts()
    assert facts["network"].startswith("DnCNN") and facts["non_commercial"] is False
    assert "permissive" in facts["licence"] and facts["purpose"] == "Restoration"


def test_non_commercial_code_is_said(shared: Path) -> None:
    path = shared / "methods" / "restormer_small" / "deraining.pth"
    if not path.is_file():
        pytest.skip(f"no golden case at {path}")
    pytest.importorskip("spandrel_extra_arches", reason="the extra nc is not installed")
    method = load_implementation(Registry.discover().method("checkpoint").implementation)(None)
    method.load(read_weights(path), torch.device("cpu"))
    facts = method.facts()
    assert facts["network"].startswith("Restormer") and facts["non_commercial"] is True
    assert "not for commercial use" in facts["licence"] and facts["parameters"] == 1_159_222


def test_files_that_restore_no_pictures_are_refused(tmp_path: Path) -> None:
    from spandrel.architectures.Compact import Compact
    from spandrel.architectures.DnCNN import DnCNN

    method = load_implementation(Registry.discover().method("checkpoint").implementation)(None)
    cases: dict[str, tuple[Any, str]] = {
        "twice.pth": (Compact(num_feat=8, num_conv=2, upscale=2), "enlarges pictures 2 times"),
        "grey.pth": (
            DnCNN(in_nc=1, out_nc=1, nc=8, nb=8, act_mode="R", mode="DnCNN"),
            "1 to 1 channels, not of RGB pictures",
        ),
        "mine.pth": (torch.nn.Conv2d(3, 3, 3), "spandrel knows no architecture with these tensors"),
    }
    for name, (network, words) in cases.items():
        torch.save(network.state_dict(), tmp_path / name)
        with pytest.raises(WeightsError, match=rf"{name}: .*{words}"):
            method.load(read_weights(tmp_path / name), torch.device("cpu"))
