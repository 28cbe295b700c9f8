"""``derain``: files and folders, and the same pictures as a run makes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from drivederain.weights import serialise

SMALL = ("--set", "unet.architecture=custom", "--set", "unet.width=8")
REFINER = ("--set", "diffusion.channels=8,8", "--set", "diffusion.eta=1.0")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Weights of a small U-Net and a small stochastic refiner: random ones, which no run would make by itself."""
    from drivederain_methods.diffusion.method import Diffusion
    from drivederain_methods.diffusion.options import DiffusionOptions
    from drivederain_methods.unet.method import UNet
    from drivederain_methods.unet.options import UNetOptions

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    methods = {
        "unet": UNet(UNetOptions(architecture="custom", width=8, residual=False)),
        "diffusion": Diffusion(DiffusionOptions(channels=(8, 8))),
    }
    arguments: list[str] = []
    for name, method in methods.items():
        method.load(None, torch.device("cpu"))
        architecture = {option: getattr(method.options, option) for option in method.architecture}
        path = folder / f"{name}.safetensors"
        path.write_bytes(serialise(method.state(), {"architecture": architecture}))
        arguments += ["--weights", f"{name}={path}"]
    return (*arguments, "--set", "diffusion.eta=1.0", "--device", "cpu")


def test_a_folder_gives_what_a_run_gives(
    command: Any, photos: Path, tmp_path: Path, weights: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (photos / "night").mkdir()
    shutil.move(photos / "photo2.png", photos / "night" / "photo2.png")
    assert command("derain", photos, "out", "--method", "unet+diffusion", *weights).status == 0
    ran = command(
        "run", "--methods", "unet+diffusion", "--data", f"real:{photos}", "--metrics", "mse", *weights, "--out", "run"
    )
    assert ran.status == 0, ran
    for name in ("photo0", "photo1", "night/photo2"):
        derained = cv2.imread(f"out/{name}.png")
        restored = cv2.imread(f"run/images/real_photos/{name.replace('/', '--')}/unet+diffusion.png")
        assert np.array_equal(derained, restored), name
        assert not np.array_equal(derained, cv2.imread(str(photos / f"{name}.png")))
    # The noise comes from the picture: under another name in another format it is the same.
    cv2.imwrite("other.bmp", cv2.imread(str(photos / "photo0.png")))
    assert command("derain", "other.bmp", "other.png", "--method", "unet+diffusion", *weights).status == 0
    assert np.array_equal(cv2.imread("other.png"), cv2.imread("out/photo0.png"))


def test_one_file_of_any_size_and_type(command: Any, photos: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.full((1, 1, 3), 9, np.uint8))
    assert command("derain", tmp_path / "dot.png", tmp_path / "dot2.png", "--method", "identity").status == 0
    assert cv2.imread(str(tmp_path / "dot2.png")).tolist() == [[[9, 9, 9]]]
    for suffix in ("png", "bmp", "tiff", "webp"):
        target = tmp_path / "deep" / f"out.{suffix}"
        ended = command("derain", photos / "photo0.png", target, "--method", "identity")
        assert ended.status == 0 and f"1 of 1 pictures written to {target}" in ended.out
        assert np.array_equal(cv2.imread(str(target)), cv2.imread(str(photos / "photo0.png"))), suffix
    assert command("derain", photos / "photo0.png", tmp_path / "out.jpg", "--method", "identity").status == 0
    assert command("derain", photos / "photo0.png", tmp_path, "--method", "identity").status == 0
    assert (tmp_path / "photo0.png").is_file()


@pytest.mark.shared
def test_an_official_checkpoint_by_its_own_options(command: Any, shared: Path, tmp_path: Path) -> None:
    """``--set`` reaches the network: with frame=Add each stage is given what the ones before left."""
    folder = shared / "methods" / "rescan_gru_full"
    picture = shared / "methods" / "inputs" / "odd_93x131.png"
    arguments = ("--method", "rescan", "--weights", f"rescan={folder / 'latest'}")
    full, add, tiles = (tmp_path / f"{name}.png" for name in ("full", "add", "tiles"))
    assert command("derain", picture, full, *arguments).status == 0
    official = cv2.imread(str(folder / "odd_93x131_u8.png")).astype(int)
    assert np.abs(cv2.imread(str(full)).astype(int) - official).max() <= 1
    assert command("derain", picture, add, *arguments, "--set", "rescan.frame=Add").status == 0
    assert np.abs(cv2.imread(str(add)).astype(int) - official).max() > 1
    assert command("derain", picture, tiles, *arguments, "--tile", "64").status == 0
    assert not np.array_equal(cv2.imread(str(tiles)), cv2.imread(str(full))), "the squeeze sees a tile"
    refused = command("derain", picture, tmp_path / "x.png", *arguments, "--tile", "8")
    assert refused.status == 2 and "--tile" in refused.message


def test_a_chain_without_weights_says_what_to_give(command: Any, photos: Path, tmp_path: Path) -> None:
    ended = command("derain", photos, tmp_path / "out", "--method", "unet", *SMALL, "--device", "cpu")
    assert ended.status == 2
    assert (
        "unet cannot be used: unet has no weights, and nothing is trained here. Give --weights unet=PATH."
        in ended.message
    )


def test_two_pictures_of_one_name(command: Any, photos: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(photos / "photo0.bmp"), cv2.imread(str(photos / "photo1.png")))
    refused = command("derain", photos, tmp_path / "out", "--method", "identity")
    assert refused.status == 2 and "photo0.png" in refused.message and "--skip-bad" in refused.message
    ended = command("derain", photos, tmp_path / "out", "--method", "identity", "--skip-bad")
    assert ended.status == 1 and "3 of 4 pictures written" in ended.out
