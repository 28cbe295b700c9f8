"""Official checkpoints of DerainNet, RESCAN and PReNet give what the official code gives, at odd sizes too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from drivederain.engine.device import DeviceRunner
from drivederain.implementation import load_implementation
from drivederain.method import Method
from drivederain.registry import Registry
from drivederain.weights import read_weights

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Golden:
    """A case of the shared folder: what the official code made of a checkpoint and pictures."""

    method: str
    folder: str
    checkpoint: str
    pictures: tuple[str, ...]
    parameters: int


BOTH = ("even_96x128", "odd_93x131")
CASES = (
    Golden("prenet", "prenet_real_rain100h", "net_latest.pth", BOTH, 168_963),
    Golden("rescan", "rescan_gru_full", "latest", BOTH, 149_823),
    Golden("derainnet", "derainnet_tf_real", "derainnet_converted.pth", ("windshield_96x128",), 754_691),
    Golden("derainnet", "derainnet_tf_real", "model.index", ("windshield_96x128",), 754_691),
)


def picture(path: Path) -> NDArray[np.uint8]:
    return np.array(Image.open(path).convert("RGB"))


def made(registry: Registry, name: str, **options: Any) -> Method:
    spec = registry.method(name)
    method: Method = load_implementation(spec.implementation)(load_implementation(spec.options)(**options))
    return method


@pytest.mark.shared
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method}-{case.checkpoint}")
def test_an_official_checkpoint_gives_what_the_official_code_gives(
    case: Golden, shared: Path, registry: Registry, make_runner: Callable[..., DeviceRunner]
) -> None:
    folder = shared / "methods" / case.folder
    if not folder.is_dir():
        pytest.skip(f"no golden case at {folder}")
    method = made(registry, case.method)
    runner = make_runner(case.method, method, read_weights(folder / case.checkpoint))
    assert method.facts()["parameters"] == case.parameters
    for name in case.pictures:
        rainy = picture(shared / "methods" / "inputs" / f"{name}.png")
        ours = runner.restore([name], [rainy], None)[0].pixels.astype(int)
        assert np.abs(ours - picture(folder / f"{name}_u8.png")).max() <= 1
        tensor = torch.from_numpy(rainy).permute(2, 0, 1)[None].float() / 255
        turned = registry.method(case.method).needs.channel_order == "BGR"
        with torch.inference_mode():
            floats = method.restore(tensor.flip(1) if turned else tensor)
        floats = (floats.flip(1) if turned else floats)[0].permute(1, 2, 0).numpy()
        official = np.load(folder / f"{name}.npy")
        clipped = case.method == "derainnet"  # its graph ends with clipping
        assert np.abs((floats.clip(0, 1) if clipped else floats) - official).max() < 1e-4
