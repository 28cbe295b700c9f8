"""The runner on the device: everything around a method's ``restore`` that must be the same for every method.

It pads and crops, tiles, batches, casts, seeds, checks, clamps, rounds to 8 bit, and times.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivederain.data.content import content_of
from drivederain.engine.keys import seed_of
from drivederain.engine.tiling import by_tiles
from drivederain.engine.time_limit import time_limit
from drivederain.errors import MethodError, OptionError
from drivederain.method import Method, Refiner
from drivederain.specs import MethodSpec, Needs

Pixels = NDArray[np.uint8]

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Restored:
    """One restored picture, H x W x 3 RGB 8 bit, and the seconds its batch took a picture."""

    pixels: Pixels
    seconds: float


def choose_device(name: str) -> torch.device:
    """``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        OptionError: the device that was asked for is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if name not in there:
        raise OptionError(f"--device {name}: write auto, cpu, cuda or mps")
    if not there[name]:
        raise OptionError(
            f"--device {name}: torch {torch.__version__} finds no such device here. Use --device auto or cpu."
        )
    return torch.device(name)


def choose_precision(asked: str, needs: Needs, device: torch.device) -> str:
    """The precision a method runs in: what was asked for if the method holds in it, else fp32.

    ``auto`` is bf16 on CUDA devices that are good at it, fp32 elsewhere.
    """
    if asked == "auto":
        good = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if good and "bf16" in needs.precisions else "fp32"
    return asked if asked in needs.precisions else "fp32"


class DeviceRunner:
    """Runs one loaded method on pictures of any size."""

    def __init__(
        self,
        method: Method,
        spec: MethodSpec,
        device: torch.device,
        *,
        precision: str,
        seed: int,
        tile: int | None = None,
    ) -> None:
        self.method, self.spec, self.device, self.precision, self.seed = method, spec, device, precision, seed
        tile = tile if tile is not None else spec.needs.tile
        # Tiles go to the method as they are, so they must be of a size that it takes.
        self.tile = None if tile is None else padded(tile, spec.needs)
        self.warm = False
        self.timeout: float | None = None
        """Seconds for one pass; the warm-up is a pass of its own, so that the first picture has no less time."""

    def restore(
        self, names: Sequence[str], rainy: Sequence[Pixels], estimates: Sequence[Pixels] | None
    ) -> list[Restored]:
        """Restore a batch of pictures of one size.

        Args:
            names: with the method's name and the seed they seed the noise of each picture (``noise_name``).
            rainy: H x W x 3 RGB 8 bit.
            estimates: for a refiner, the outputs of the stage before it.

        Raises:
            MethodError: the method returned another shape or type, or values that are not finite.
        """
        given = [rainy] if estimates is None else [rainy, estimates]
        tensors = [self._to_device(pictures) for pictures in given]
        if not self.warm:
            # The first call of a network plans kernels and allocates; it is not what later pictures cost.
            self._timed(names, [tensor.clone() for tensor in tensors])  # a method may write into its input
            self.warm = True
        output, seconds = self._timed(names, tensors)
        height, width = rainy[0].shape[:2]
        pictures = self._to_pixels(output, height, width)
        return [Restored(pixels, seconds / len(pictures)) for pixels in pictures]

    def _to_device(self, pictures: Sequence[Pixels]) -> Tensor:
        stacked = np.stack([pad(picture, self.spec.needs) for picture in pictures])
        if self.spec.needs.channel_order == "BGR":
            stacked = stacked[..., ::-1]
        tensor = torch.from_numpy(np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)))
        return tensor.to(self.device).float() / 255

    def _timed(self, names: Sequence[str], tensors: list[Tensor]) -> tuple[Tensor, float]:
        self._synchronise()
        started = time.perf_counter()
        with (
            time_limit(self.timeout),
            torch.inference_mode(),
            torch.autocast(self.device.type, dtype=DTYPES.get(self.precision), enabled=self.precision in DTYPES),
        ):
            self.method.generators = [
                torch.Generator().manual_seed(seed_of(self.seed, self.spec.name, name)) for name in names
            ]
            if self.tile is not None and max(tensors[0].shape[-2:]) > self.tile:
                output = by_tiles(self._run, tensors, self.tile, self.spec.needs.tile_overlap)
            else:
                output = self._run(*tensors)
        self._synchronise()
        return output, time.perf_counter() - started

    def _run(self, rainy: Tensor, estimate: Tensor | None = None) -> Tensor:
        if isinstance(self.method, Refiner):
            output = self.method.restore(rainy, estimate)
        else:
            output = self.method.restore(rainy)
        if not isinstance(output, Tensor):
            raise MethodError(f"{self.spec.name} returned {type(output).__name__}, not a tensor")
        if output.shape != rainy.shape:
            raise MethodError(
                f"{self.spec.name} returned the shape {tuple(output.shape)} for an input of {tuple(rainy.shape)}"
            )
        if not output.is_floating_point():
            raise MethodError(f"{self.spec.name} returned {output.dtype}, not floating-point values in [0, 1]")
        if not torch.isfinite(output).all():
            raise MethodError(f"{self.spec.name} returned NaN or infinite values")
        return output

    def _to_pixels(self, output: Tensor, height: int, width: int) -> list[Pixels]:
        scaled = output[:, :, :height, :width].float().clamp(0, 1) * 255
        eight_bit = scaled.round() if self.spec.needs.eight_bit == "round" else scaled.floor()
        arrays = eight_bit.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        if self.spec.needs.channel_order == "BGR":
            arrays = arrays[..., ::-1]
        return [np.ascontiguousarray(array) for array in arrays]

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()


def pad(picture: Pixels, needs: Needs) -> Pixels:
    """Pad on the right and below to ``needs.minimum`` and to a multiple of ``needs.multiple``."""
    height, width = (padded(side, needs) for side in picture.shape[:2])
    below, right = height - picture.shape[0], width - picture.shape[1]
    if not below and not right:
        return picture
    # numpy reflects as often as it takes, also where the picture is smaller than the padding.
    return np.pad(picture, ((0, below), (0, right), (0, 0)), mode="reflect" if needs.padding == "reflect" else "edge")


def padded(pixels: int, needs: Needs) -> int:
    """The next length of a side that the method takes."""
    return -(-max(pixels, needs.minimum) // needs.multiple) * needs.multiple


def noise_name(rainy: Pixels) -> str:
    """What names a picture in the seed of its noise: its pixels, whatever file they came from."""
    return content_of(rainy).sha256
