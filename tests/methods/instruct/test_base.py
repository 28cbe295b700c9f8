"""The base model: what is missing or wrong is said with what to do."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL

from drivederain.errors import OptionError, WeightsError
from drivederain_methods.diffusion.instruct.base import load_base, load_vae
from drivederain_methods.diffusion.method import Diffusion
from drivederain_methods.diffusion.options import DiffusionOptions


def copy(base: Path, to: Path) -> Path:
    return Path(shutil.copytree(base, to / "model"))


def test_what_is_not_on_this_machine_is_said_with_the_address_and_how_to_give_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError) as raised:
        load_base("timbrooks/instruct-pix2pix", prompt="x")
    said = str(raised.value)
    assert "it is not on this machine, or not all of it (" in said, "with the reason that the library gives"
    for words in (
        "--download", "https://huggingface.co/timbrooks/instruct-pix2pix",
        "hf download timbrooks/instruct-pix2pix --local-dir FOLDER", "--set diffusion.base=FOLDER",
        "--set diffusion.model=bridge needs no download",
    ):  # fmt: skip
        assert words in said


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/model"])
def test_a_folder_that_is_not_there_is_no_name_on_the_hub(name: str) -> None:
    with pytest.raises(WeightsError, match="there is no such folder"):
        load_base(name, prompt="x")


def test_another_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no model_index\.json"):
        load_base(str(tmp_path), prompt="x")


def test_pickled_weights_are_not_read(base: Path, tmp_path: Path) -> None:
    folder = copy(base, tmp_path)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(WeightsError, match="must be safetensors"):
        load_base(str(folder), prompt="x")


def test_a_damaged_file_is_said_with_the_folder(base: Path, tmp_path: Path) -> None:
    folder = copy(base, tmp_path)
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(WeightsError, match="cannot be loaded as an InstructPix2Pix") as raised:
        load_base(str(folder), prompt="x")
    assert str(folder) in str(raised.value)


def test_a_model_that_draws_from_words_alone_is_refused(make_pipeline: Any, tmp_path: Path) -> None:
    make_pipeline(channels=4).save_pretrained(tmp_path / "drawing")
    with pytest.raises(WeightsError, match=r"takes 4 channels, that of an InstructPix2Pix 8"):
        load_base(str(tmp_path / "drawing"), prompt="x")


def test_a_network_that_predicts_something_else_is_refused(make_pipeline: Any, tmp_path: Path) -> None:
    make_pipeline(prediction="sample").save_pretrained(tmp_path / "other")
    with pytest.raises(WeightsError, match="predicts sample, and epsilon and v_prediction are known here"):
        load_base(str(tmp_path / "other"), prompt="x")


def test_an_instruction_that_would_be_cut_is_refused(base: Path) -> None:
    with pytest.raises(OptionError, match=r"diffusion\.prompt: \d+ tokens, and the text encoder reads 77"):
        load_base(str(base), prompt="remove rain " * 60)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("80 GiB"), RuntimeError("DefaultCPUAllocator: can't allocate memory: 4 GB")]
)
def test_too_little_memory_is_no_fault_of_the_model(
    base: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(AutoencoderKL, "from_pretrained", full)
    with pytest.raises(type(error), match=re.escape(str(error))):
        load_vae(str(base))


def test_a_safety_checker_that_a_base_has_is_not_loaded(base: Path, tmp_path: Path) -> None:
    folder = copy(base, tmp_path)
    (folder / "safety_checker").mkdir()
    (folder / "safety_checker" / "model.safetensors").write_bytes(b"not even weights")
    index = json.loads((folder / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (folder / "model_index.json").write_text(json.dumps(index))
    method = Diffusion(DiffusionOptions(model="instruct-pix2pix", base=str(folder)))
    method.load(None, torch.device("cpu"))
    assert method.facts()["safety checker"] == "off"


def test_it_is_frozen_and_its_text_encoder_is_gone(base: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loaded = load_base(str(base), prompt="remove rain")
    assert capfd.readouterr().err == "", "no progress bars"
    assert not any(value.requires_grad for part in (loaded.vae, loaded.unet) for value in part.parameters())
    assert not hasattr(loaded, "text_encoder")
    assert loaded.prompt.shape == loaded.nothing.shape == (1, 77, 32)
    assert not loaded.prompt.equal(loaded.nothing)
    assert json.loads((base / "model_index.json").read_text())["safety_checker"] == [None, None]


def test_the_autoencoder_comes_alone_and_says_what_is_wrong_in_its_own_name(
    base: Path, plain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = load_vae(str(base))
    theirs = plain.vae.state_dict()
    assert all((value == theirs[name]).all() for name, value in vae.state_dict().items())
    assert not vae.training and not any(parameter.requires_grad for parameter in vae.parameters())
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"--set vae\.base=FOLDER\.$"):
        load_vae("timbrooks/instruct-pix2pix")
    with pytest.raises(WeightsError, match=r"vae\.base=\./nowhere: there is no such folder"):
        load_vae("./nowhere")
    folder = copy(base, tmp_path)
    shutil.rmtree(folder / "vae")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        load_vae(str(folder))
