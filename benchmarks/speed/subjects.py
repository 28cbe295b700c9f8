"""What the benchmarks of methods share: photographs with drawn rain, shipped methods in the engine's runner, PSNR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.engine.device import DeviceRunner
from drivederain.engine.options import method_options
from drivederain.engine.stages import make_method
from drivederain.rain import Intensity, draw_rain
from drivederain.registry import Registry
from drivederain.weights import read_weights, shipped

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """A photograph and the same with rain, H x W x 3 RGB 8 bit."""

    name: str
    clear: Pixels
    rainy: Pixels


def pairs(photos: Sequence[Path], width: int, height: int, intensity: Intensity = "medium") -> list[Pair]:
    """The photographs cut and scaled (Lanczos where that enlarges) to the size, and with rain drawn on them."""
    made = []
    for path in photos:
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if photo is None:
            raise SystemExit(f"{path} is no readable image")
        clear = _fitted(np.ascontiguousarray(photo[..., ::-1], np.uint8), width, height)
        made.append(Pair(path.stem, clear, draw_rain(clear, seed=0, key=path.stem, intensity=intensity).rainy))
    return made


def _fitted(photo: Pixels, width: int, height: int) -> Pixels:
    scale = max(width / photo.shape[1], height / photo.shape[0])
    shown_width, shown_height = round(width / scale), round(height / scale)
    top, left = (photo.shape[0] - shown_height) // 2, (photo.shape[1] - shown_width) // 2
    shown = photo[top : top + shown_height, left : left + shown_width]
    how = cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(shown, (width, height), interpolation=how), np.uint8)


def shipped_runner(
    name: str,
    device: torch.device,
    *,
    precision: str = "fp32",
    channels_last: bool | None = None,
    tile: int | None = None,
    overlap: int | None = None,
) -> DeviceRunner:
    """A built-in method with the weights that ship with it; ``tile=0`` keeps every picture whole."""
    spec = Registry.discover().method(name)
    needs = spec.needs
    if channels_last is not None:
        needs = replace(needs, channels_last=channels_last)
    if tile is not None:
        needs = replace(needs, tile=tile or None)
    if overlap is not None:
        needs = replace(needs, tile_overlap=overlap)
    spec = replace(spec, needs=needs)
    found = shipped(spec.weights[0])
    method = make_method(spec, method_options(spec, {}, found.architecture), may_download=False)
    method.load(read_weights(found.path, sha256=found.sha256), device)
    if needs.tiles_itself and tile is not None:
        method.tile = tile or None
    return DeviceRunner(method, spec, device, precision=precision, seed=0)


def psnr(output: Pixels, truth: Pixels) -> float:
    """In dB on RGB; infinite for equal pictures."""
    error = np.mean((output.astype(np.float64) - truth) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
