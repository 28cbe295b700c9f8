"""``train unet+diffusion`` and ``run`` with InstructPix2Pix from a local folder, by the API that the commands use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from drivederain import run, train
from drivederain.results.training_history import read_history


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(4):
        coarse = (np.random.default_rng(number).random((6, 8, 3)) * 220 + 10).astype(np.uint8)
        cv2.imwrite(str(folder / f"photo{number}.png"), cv2.resize(coarse, (80, 64)))
    return folder


def test_it_is_trained_stopped_resumed_used_and_loaded_by_diffusers(
    base: Path, plain: Any, photos: Path, cache: Path, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {
        "options": {"diffusion": {"model": "instruct-pix2pix", "base": str(base), "rank": 4, "strength": 0.6}},
        "hyperparameters": {
            "crop": 32, "batch_size": 2, "epoch_steps": 4, "schedule": "constant", "warm_up": 0.0,
            "learning_rate": 1e-2,
        },
        "device": "cpu", "cache": cache, "samples_every": 0, "save_steps": 1,
    }  # fmt: skip
    whole = train("unet+diffusion", f"synthetic:{photos}", out=tmp_path / "whole", steps=6, **asked)
    assert whole.record.steps == 6 and read_history(whole.folder.epochs)[-1].losses.keys() == {"loss", "noise"}
    train("unet+diffusion", f"synthetic:{photos}", out=tmp_path / "part", steps=3, **asked)
    part = train("unet+diffusion", resume=tmp_path / "part", steps=6, device="cpu", cache=cache, save_steps=1)
    ends = [load_file(outcome.folder.last) for outcome in (whole, part)]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items()), (
        "resumed in the middle of an epoch"
    )
    assert whole.folder.last.stat().st_size < 200_000, "the base is not kept"
    assert whole.folder.state.stat().st_size < 500_000

    plain.load_lora_weights(whole.folder.checkpoints, weight_name="last.safetensors")
    loaded = [value for name, value in plain.unet.named_parameters() if "lora_B" in name]
    assert loaded and any(bool(value.abs().max() > 0) for value in loaded)

    ended = run(
        "unet+diffusion", f"synthetic:{photos}", intensities="light", limit=1, metrics="psnr", device="cpu",
        cache=cache, weights={"diffusion": whole.folder.last}, out=tmp_path / "run", isolate=False, clear_input=0,
    )  # fmt: skip
    rows = ended.results()
    assert set(rows[rows["method"] == "unet+diffusion"]["status"]) == {"ok"}
    # Beside the scores stands what its autoencoder alone would leave of the clear picture.
    (ceiling,) = ended.about()["ceilings"]
    assert (ceiling["method"], ceiling["of"], ceiling["images_ok"], ceiling["reason"]) == (
        "vae", ["unet+diffusion"], 1, "",
    )  # fmt: skip
    (stored,) = (ended.path / "images").rglob("clear.png")
    clear = torch.from_numpy(cv2.imread(str(stored))[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
    vae = plain.vae
    padded = torch.nn.functional.pad(clear, (0, 128 - 80, 0, 0), mode="reflect")  # to a multiple of 64
    with torch.no_grad():
        trip = (vae.decode(vae.encode(padded * 2 - 1).latent_dist.mode()).sample / 2 + 0.5)[..., :80]
    levels = (trip.clamp(0, 1) * 255).round() / 255
    psnr = -10 * torch.log10((levels - clear).square().mean())
    assert ceiling["scores"]["psnr[rgb]"]["mean"] == pytest.approx(float(psnr), abs=0.02)
    assert "Ceiling of" in ended.report_html.read_text() and "vae" not in set(rows["method"])
