"""The runner on the device: everything around a method's ``restore`` that must be the same for every method.

Three steps, which may be in three threads: ``stage`` pads and stacks pictures on the host (any thread), ``start``
copies, computes and quantises on the device (the main thread), ``Pending.result`` waits for the pixels (any thread). In
between the runner seeds, casts, tiles, times, steps down when memory runs out, and checks what a method returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from drivederain.data.content import content_of
from drivederain.engine.failures import describe
from drivederain.engine.flops import counted, raised_while_counting
from drivederain.engine.keys import seed_of
from drivederain.engine.networks import is_compiled, prepare_networks
from drivederain.engine.staging import HostBatch, Pixels, padded, to_host_batch
from drivederain.engine.step_down import Level, StepDown, free_memory, is_out_of_memory
from drivederain.engine.time_limit import time_limit
from drivederain.errors import MethodError, OptionError
from drivederain.method import MaskedMethod, Method, Refiner
from drivederain.specs import MethodSpec, Needs
from drivederain.tiling import by_tiles

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Restored:
    """One restored picture.

    ``pixels``: H x W x 3 RGB 8 bit. ``seconds``: what its batch took a picture, ``None`` where nobody waited for the
    device. ``stepped_down``: what memory made the runner do otherwise ("batch 4→2", "tile 512", "bf16"), else "".
    """

    pixels: Pixels
    seconds: float | None
    stepped_down: str = ""


@dataclass(frozen=True)
class _Part:
    """Pictures that went through the method together, on their way back to the host (``arrived``: a CUDA event)."""

    pixels: Tensor
    finite: Tensor
    arrived: Any
    seconds: float | None
    stepped_down: str


class Pending:
    """A batch that was started; ``result`` may be called from any thread."""

    def __init__(self, method: str, parts: Sequence[_Part]) -> None:
        self._method, self._parts = method, parts

    def wait(self) -> None:
        """Until the device is done with the batch; does not look at the pictures."""
        for part in self._parts:
            if part.arrived is not None:
                part.arrived.synchronize()

    def result(self) -> list[Restored]:
        """Wait for the pictures.

        Raises:
            MethodError: the method returned NaN or infinite values.
        """
        restored: list[Restored] = []
        self.wait()
        for part in self._parts:
            if not part.finite.item():
                raise MethodError(f"{self._method} returned NaN or infinite values")
            restored += [Restored(pixels, part.seconds, part.stepped_down) for pixels in part.pixels.numpy()]
        return restored


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


def choose_precision(asked: str, needs: Needs) -> str:
    """The precision a method runs in: what was asked for if the method holds in it, else fp32.

    ``auto`` is fp32 on every device: bf16 is about twice as fast, but PSNR of single pictures moves by up to .03 dB
    (``benchmarks/speed/precision.py``), and results should not depend on which device it was.
    """
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
        allow_lower_precision: bool = False,
    ) -> None:
        """``tile`` instead of the spec's.

        ``allow_lower_precision``: when neither batch nor tiles can get smaller, a lower precision of the spec's is
        tried before a picture fails.
        """
        self.method, self.spec, self.device, self.precision, self.seed = method, spec, device, precision, seed
        if tile is None:
            tile = method.tile if spec.needs.tiles_itself else spec.needs.tile
        # Tiles go to the method as they are, so they must be of a size that it takes.
        self.tile = None if tile is None else padded(tile, spec.needs)
        self._warm: set[tuple[int, int]] = set()
        self.timeout: float | None = None
        """Seconds for one pass; the warm-up is a pass of its own, so that the first picture has no less time."""
        self.on_pass: Callable[[], None] = lambda: None
        """Called at the beginning of every pass, so that whoever watches the time knows."""
        self.flops: dict[str, int] = {}
        """After the warm-up: floating-point operations of one picture, by its size ("1280x720")."""
        self.flops_reason = "nothing was restored yet"
        """Why ``flops`` is empty."""
        self._count = bool(method.networks()) and not is_compiled(method)
        if is_compiled(method):
            # Under the counter they would run uncompiled, and compile when time is taken.
            self.flops_reason = "compiled networks are not counted"
        elif not self._count:
            self.flops_reason = "the method names no networks"
        self._step_down = StepDown(spec.needs, allow_lower_precision=allow_lower_precision)
        prepare_networks(method, spec.needs)

    def restore(
        self, names: Sequence[str], rainy: Sequence[Pixels], estimates: Sequence[Pixels] | None
    ) -> list[Restored]:
        """Restore a batch of pictures of one size, and time it.

        Args:
            names: with the method's name and the seed they seed the noise of each picture (``noise_name``).
            rainy: H x W x 3 RGB 8 bit.
            estimates: for a refiner, the outputs of the stage before it.

        Raises:
            MethodError: the method returned another shape or type, or values that are not finite.
        """
        return self.start(names, self.stage(rainy, estimates), timed=True).result()

    def stage(
        self, rainy: Sequence[Pixels], estimates: Sequence[Pixels] | None, masks: Sequence[Pixels] | None = None
    ) -> HostBatch:
        """Make a batch ready on the host; any thread may. ``masks``: H x W, for a method that uses them."""
        return to_host_batch(rainy, estimates, self.spec.needs, pinned=self.device.type == "cuda", masks=masks)

    def start(self, names: Sequence[str], batch: HostBatch, *, timed: bool) -> Pending:
        """Restore a staged batch; the pixels are on their way back when this returns.

        On CUDA the call does not wait for the device unless ``timed``, and knows no seconds then; on the CPU the
        seconds are always those of the method. When the device has too little memory, the batch is halved, then cut
        into tiles, then (if allowed) run in a lower precision; later pictures of the size or larger start there.

        Raises:
            MethodError: the method returned another shape or type.
        """
        if not self.is_warm(batch):
            self.warm_up(names, batch)
        return Pending(self.spec.name, self._stepping_down(names, batch, timed=timed)[0])

    def is_warm(self, batch: HostBatch, *, at_its_size: bool = False) -> bool:
        """Whether something was passed through; ``at_its_size``: of the batch's size, for which kernels are planned."""
        return batch.padded_size in self._warm if at_its_size else bool(self._warm)

    def start_smaller(self, height: int, width: int) -> None:
        """Let pictures of that padded size or larger go through one by one, and in small tiles if they may be cut.

        For sizes at which a process was killed for its memory before; it is said in ``stepped_down``.
        """
        whole = self._cut_sides(self.tile, height, width)
        level = self._step_down.far_below(Level(1, whole, self.precision), height, width)
        self._step_down.remember(level, height * width)

    def warm_up(self, names: Sequence[str], batch: HostBatch) -> None:
        """Pass a batch through and forget the result: the first call of a network plans kernels and allocates.

        The operations of this pass are counted; where that fails, the pass is repeated without.
        """
        try:
            parts, operations = self._stepping_down(names, batch, timed=True, count=self._count)
        except Exception as error:
            if not self._count or not raised_while_counting(error) or is_out_of_memory(error):
                raise
            self._count, self.flops_reason = False, f"they could not be counted: {describe(error)[1]}"
            parts, operations = self._stepping_down(names, batch, timed=True)
        self._warm.add(batch.padded_size)
        if not self._count:
            return
        if operations:
            pictures = sum(len(part.pixels) for part in parts)
            self.flops[size_name(batch.height, batch.width)] = operations // pictures
            self.flops_reason = ""
        else:
            self.flops_reason = "the method has no operation that torch counts"

    def _stepping_down(
        self, names: Sequence[str], batch: HostBatch, *, timed: bool, count: bool = False
    ) -> tuple[list[_Part], int]:
        """The parts of the batch, from the first level that memory suffices for, and their operations if counted."""
        height, width = batch.padded_size
        wanted = Level(len(batch), self._cut(self.tile, batch), self.precision)
        level = self._step_down.first(wanted, height * width)
        while True:
            level = Level(level.batch, self._cut(level.tile, batch), level.precision)
            try:
                done = self._at(level, wanted, names, batch, timed=timed, count=count)
            except Exception as error:
                lower = self._step_down.below(level, height, width) if is_out_of_memory(error) else None
                if lower is None:
                    raise
            else:
                if level != wanted:
                    self._step_down.remember(level, height * width)
                return done
            # Here the exception is gone, and with its traceback the tensors that did not fit.
            free_memory(self.device)
            level = lower

    def _cut(self, tile: int | None, batch: HostBatch) -> int | None:
        return self._cut_sides(tile, *batch.padded_size)

    @staticmethod
    def _cut_sides(tile: int | None, height: int, width: int) -> int | None:
        """``tile`` where pictures are larger, ``None`` where they stay whole."""
        return tile if tile is not None and max(height, width) > tile else None

    def _at(
        self, level: Level, wanted: Level, names: Sequence[str], batch: HostBatch, *, timed: bool, count: bool
    ) -> tuple[list[_Part], int]:
        words = level.words(wanted)
        parts, operations = [], 0
        for first in range(0, len(batch), level.batch):
            some = slice(first, first + level.batch)
            part, counts = self._part(level, names[some], batch, some, ", ".join(words), timed=timed, count=count)
            parts.append(part)
            operations += counts
        return parts, operations

    def _part(
        self,
        level: Level,
        names: Sequence[str],
        batch: HostBatch,
        some: slice,
        stepped_down: str,
        *,
        timed: bool,
        count: bool,
    ) -> tuple[_Part, int]:
        """``some`` pictures of the batch at once. What it holds on the device is free again when it returns."""
        inputs = [tensor[some].to(self.device, non_blocking=True) for tensor in batch.inputs]
        output, seconds, operations = self._timed(names, inputs, level, timed=timed, count=count)
        pixels, finite, arrived = self._to_host(output, batch.height, batch.width)
        each = None if seconds is None else seconds / len(pixels)
        return _Part(pixels, finite, arrived, each, stepped_down), operations

    def _timed(
        self, names: Sequence[str], inputs: list[Tensor], level: Level, *, timed: bool, count: bool
    ) -> tuple[Tensor, float | None, int]:
        """The output, the seconds (if known) and the operations (if counted) of one pass."""
        whole = level.tile is None or self.spec.needs.tiles_itself
        if whole:
            inputs = [_to_unit(tensor) for tensor in inputs]
        if timed:
            self._synchronise()
        self.on_pass()
        operations = 0
        started = time.perf_counter()
        with (
            time_limit(self.timeout),
            nullcontext() if count else torch.inference_mode(),
            torch.autocast(self.device.type, dtype=DTYPES.get(level.precision), enabled=level.precision in DTYPES),
        ):
            self.method.generators = [
                torch.Generator().manual_seed(seed_of(self.seed, self.spec.family or self.spec.name, name))
                for name in names
            ]
            if count:
                output, operations = counted(lambda: self._whole_or_tiles(inputs, level.tile))
            else:
                output = self._whole_or_tiles(inputs, level.tile)
        if timed:
            self._synchronise()
        known = timed or self.device.type == "cpu"
        return output, time.perf_counter() - started if known else None, operations

    def _whole_or_tiles(self, inputs: list[Tensor], tile: int | None) -> Tensor:
        if self.spec.needs.tiles_itself:
            self.method.tile = tile
            return self._run(*inputs)
        if tile is None:
            return self._run(*inputs)
        return by_tiles(
            # Large pictures stay 8 bit on the device; only the tile at hand is float.
            lambda *crops: self._run(*(_to_unit(crop) for crop in crops)),
            inputs,
            tile,
            self.spec.needs.tile_overlap,
            multiple=self.spec.needs.multiple,
            minimum=self.spec.needs.minimum,
            collect_on=self._collect_on(inputs[0]),
        )

    def _collect_on(self, rainy: Tensor) -> torch.device:
        """Where tiles are put together: on the device if it has ample room for the float picture, else on the host."""
        if self.device.type == "cuda":
            free = torch.cuda.mem_get_info(self.device)[0]
            if 4 * rainy.numel() * torch.float32.itemsize > free:
                return torch.device("cpu")
        return rainy.device

    def _run(self, rainy: Tensor, other: Tensor | None = None) -> Tensor:
        """``other``: a refiner's estimate, or the drop mask where the method uses it."""
        if isinstance(self.method, MaskedMethod | Refiner):
            output = self.method.restore(rainy, other)
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
        return output

    def _to_host(self, output: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Any]:
        """Crop, clamp and quantise on the device; B x H x W x 3 RGB 8 bit, whether all was finite, and an event."""
        # A value that is not finite in any tile is not finite in the sum of the tiles.
        finite = torch.isfinite(output).all()
        scaled = output[:, :, :height, :width].float().clamp(0, 1) * 255
        eight_bit = (scaled.round() if self.spec.needs.eight_bit == "round" else scaled.floor()).to(torch.uint8)
        if self.spec.needs.channel_order == "BGR":
            eight_bit = eight_bit.flip(1)
        pixels = eight_bit.permute(0, 2, 3, 1).contiguous()
        if pixels.device.type != "cuda":
            return pixels.cpu(), finite.cpu(), None
        arrived = torch.cuda.Event()
        on_host = []
        for tensor in (pixels, finite):
            pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            on_host.append(pinned.copy_(tensor, non_blocking=True))
        arrived.record(torch.cuda.current_stream(self.device))
        return on_host[0], on_host[1], arrived

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()


def _to_unit(tensor: Tensor) -> Tensor:
    """8 bit to float32 in [0, 1]."""
    return tensor.float() / 255


def size_name(height: int, width: int) -> str:
    """``1280x720``: width and height, as they are written everywhere."""
    return f"{width}x{height}"


def noise_name(rainy: Pixels) -> str:
    """What names a picture in the seed of its noise: its pixels, whatever file they came from."""
    return content_of(rainy).sha256
