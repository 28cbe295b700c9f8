"""A plugin for tests: small methods that behave, and one for each way not to. ``CALLS`` counts what they restored."""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from drivederain.hookspecs import hookimpl
from drivederain.method import LoadedWeights, Method, Refiner
from drivederain.metrics.metric import Metric
from drivederain.specs import MethodSpec, MetricSpec, Needs
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state

CALLS: Counter[str] = Counter()
ODD_WIDTH = 40
"""Pictures of this width are the ones that ``picky`` cannot take."""


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    gain: float = Field(1.1, gt=0, le=4)


class Fake(Method):
    """Loads without weights, counts its calls."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        CALLS[f"load {type(self).__name__}"] += 1

    def restore(self, rainy: Tensor) -> Tensor:
        CALLS[type(self).__name__] += 1
        return self.answer(rainy)

    def answer(self, rainy: Tensor) -> Any:
        return rainy


class Brighten(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        return rainy * self.options.gain

    def facts(self) -> dict[str, Any]:
        return {"parameters": "none", "device": torch.device("cpu")}


class WritesIntoItsInput(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        return rainy.mul_(0.5)


class Bgr(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        return rainy * torch.tensor([0.0, 1.0, 1.0]).view(1, 3, 1, 1)


class SixTenths(Fake):
    """Adds 0.6 of an 8-bit step, which rounding takes up and truncation takes away."""

    def answer(self, rainy: Tensor) -> Tensor:
        return rainy + 0.6 / 255


class Noisy(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        noise = [torch.rand(rainy.shape[1:], generator=generator) for generator in self.generators]
        return (rainy + 0.2 * torch.stack(noise)).clamp(0, 1)


class Blur(Fake):
    """Its reach is 4 pixels, less than its tiles overlap."""

    def answer(self, rainy: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(nn.functional.pad(rainy, (4, 4, 4, 4), mode="replicate"), 9, stride=1)


class Picky(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        if rainy.shape[-1] == ODD_WIDTH:
            raise RuntimeError("this width is not for me")
        return rainy


class Raises(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        raise ValueError("always")


class Hangs(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        try:
            time.sleep(60)
        except Exception:
            return rainy  # an alarm that a method can swallow is none
        return rainy


class Slow(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        time.sleep(0.6)
        return rainy


class RaisesAtLoad(Fake):
    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        CALLS["load RaisesAtLoad"] += 1
        raise OSError("the network lies in pieces")


class WrongShape(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        return rainy[..., :-1]


class NotFinite(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        return rainy * math.nan


class Integers(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        return (rainy * 255).to(torch.uint8)


class NoTensor(Fake):
    def answer(self, rainy: Tensor) -> Any:
        return rainy.numpy()


class OutOfMemory(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("tried to allocate 80 GiB")


class Exits(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        raise SystemExit(3)


class EndsItsProcess(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        if rainy.shape[-1] == ODD_WIDTH:
            print("the driver is lost", flush=True)
            os._exit(7)
        return rainy


class ReadsNull(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        if rainy.shape[-1] == ODD_WIDTH:
            ctypes.string_at(0)
        return rainy


class IsKilled(Fake):
    def answer(self, rainy: Tensor) -> Tensor:
        if rainy.shape[-1] == ODD_WIDTH:
            os.kill(os.getpid(), signal.SIGKILL)
        return rainy


class DiesOnce(Fake):
    """Its process dies at each picture's first try, as on a machine that somebody tidies up."""

    def answer(self, rainy: Tensor) -> Tensor:
        if not self.warm:
            self.warm = True
            return rainy
        marker = Path(os.environ["DIES_ONCE"]) / hashlib.sha256(rainy.numpy().tobytes()).hexdigest()
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return rainy

    warm = False


class DiesAtLoad(Fake):
    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        os._exit(9)


class HangsInC(Fake):
    """Holds the interpreter's lock, so that no alarm is heard."""

    def answer(self, rainy: Tensor) -> Tensor:
        if rainy.shape[-1] == ODD_WIDTH:
            ctypes.PyDLL(None).sleep(60)
        return rainy


class Grows(Fake):
    """Holds 1.6 GB more at each wide picture that is not cut into tiles."""

    def answer(self, rainy: Tensor) -> Tensor:
        if rainy.shape[-1] == ODD_WIDTH:
            self.held = [*getattr(self, "held", []), np.ones(200_000_000)]
            time.sleep(1.5)
        return rainy


class GrowsWhenWide(Fake):
    """Holds 1.6 GB while it works on a picture of more than 1000 pixels, which tiles are not."""

    def answer(self, rainy: Tensor) -> Tensor:
        if rainy.shape[-1] > 1000:
            self.held = np.ones(200_000_000)
            time.sleep(1.5)
        return rainy


class LosesTheDevice(Fake):
    """As CUDA does after a failed assertion of a kernel: from the odd picture on nothing works in this process."""

    lost = False

    def answer(self, rainy: Tensor) -> Tensor:
        self.lost = self.lost or rainy.shape[-1] == ODD_WIDTH
        if self.lost:
            raise RuntimeError("CUDA error: device-side assert triggered")
        return rainy


class LeavesAProcess(Fake):
    """Starts a process and does not end it; ``LEFT`` names a file for its number."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(os.environ["LEFT"]).write_text(str(left.pid))


class Counts(Fake):
    """Says how many pictures were in its batch: the first pixel's blue is that many 255ths."""

    def answer(self, rainy: Tensor) -> Tensor:
        if (rainy[..., 0] > 0.999).all(dim=1).any(dim=-1).any():
            raise RuntimeError("a white pixel at the left border is not for me")
        rainy[:, 2, 0, 0] = len(rainy) / 255
        return rainy


class NoMethod:
    """Not a ``Method`` at all."""


class Average(Refiner):
    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        CALLS["load Average"] += 1

    def refine(self, rainy: Tensor, estimate: Tensor) -> Tensor:
        CALLS["Average"] += 1
        return (rainy + estimate) / 2


class TinyOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(2, ge=1, le=8)
    learning_rate: float = 1e-2


class TinyNetwork(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(inputs, width, 3, padding=1), nn.Conv2d(width, 3, 1)

    def forward(self, rainy: Tensor, *more: Tensor) -> Tensor:
        return rainy + self.last(torch.relu(self.first(torch.cat([rainy, *more], 1))))


class Tiny(Method):
    """A network of two convolutions that can be trained."""

    architecture: ClassVar[tuple[str, ...]] = ("width",)
    module_class: ClassVar[Any] = RestorationModule
    inputs = 3

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self.network = TinyNetwork(self.inputs, self.options.width)
        if weights is not None:
            load_state(self.network, weights)
        self.network.to(device).eval()

    def restore(self, rainy: Tensor) -> Tensor:
        return self.network(rainy)

    def module(self) -> Any:
        return self.module_class(self.network)

    def training(self) -> Recipe:
        CALLS[f"train {type(self).__name__}"] += 1
        rate = self.options.learning_rate
        return Recipe(self.module(), Hyperparameters(crop=16, batch_size=2, losses={"l1": 1.0}, learning_rate=rate))

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()


class TinyRefinerModule(RestorationModule):
    def predict(self, batch: Any) -> Tensor:
        # Random numbers, as a diffusion draws them: they must not depend on what was in the cache.
        return self.network(batch["rainy"] + 0.1 * torch.rand_like(batch["rainy"]), batch["estimate"])


class TinyRefiner(Tiny, Refiner):
    module_class = TinyRefinerModule
    inputs = 6

    def restore(self, rainy: Tensor, estimate: Tensor | None = None) -> Tensor:
        return Refiner.restore(self, rainy, estimate)

    def refine(self, rainy: Tensor, estimate: Tensor) -> Tensor:
        return self.network(rainy, estimate)


class TinyThatDies(Tiny):
    def training(self) -> Recipe:
        os._exit(4)


class KilledModule(RestorationModule):
    """Its process is ended as from outside, in the middle of the training; where ``mark`` is a file, only once."""

    by = signal.SIGKILL
    mark: Path | None = None

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        if self.trainer.global_step == 1 and not (self.mark is not None and self.mark.exists()):
            if self.mark is not None:
                self.mark.touch()
            os.kill(os.getpid(), self.by)
        return super().training_step(batch, batch_index)


class TinyKilled(Tiny):
    module_class = KilledModule


class TinyKilledOnce(TinyKilled):
    """``KILLED_ONCE`` names the file that is then there."""

    def module(self) -> Any:
        module = super().module()
        module.by, module.mark = signal.SIGTERM, Path(os.environ["KILLED_ONCE"])
        return module


class SluggishModule(RestorationModule):
    seconds = 0.6

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        if self.trainer.global_step:
            time.sleep(self.seconds)
        return super().training_step(batch, batch_index)


class TinySluggish(Tiny):
    module_class = SluggishModule


class TinyThatHangs(TinySluggish):
    """Takes one step."""

    def module(self) -> Any:
        module = super().module()
        module.seconds = 60
        return module


class Diverges(Tiny):
    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        super().load(weights, device)
        nn.init.constant_(self.network.last.bias, math.nan)


class BadMetric(Metric):
    """``raises``, ``nan`` or ``short``: too few values."""

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        if self.variant == "raises":
            raise RuntimeError("no score today")
        if self.variant == "nan":
            return {"image": torch.full((len(output),), math.nan)}
        return {"image": torch.zeros(len(output) + 1)}


def spec(name: str, made: type, **more: Any) -> MethodSpec:
    more.setdefault("needs_weights", False)
    return MethodSpec(name, f"test method {name}", more.pop("kind", "stage"), f"{__name__}:{made.__name__}", **more)


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    trainable = {"needs_weights": True, "trainable": True, "options": f"{__name__}:TinyOptions"}
    return [
        spec("brighten", Brighten, options=f"{__name__}:Options"),
        spec("in-place", WritesIntoItsInput),
        spec("bgr", Bgr, needs=Needs(channel_order="BGR")),
        spec("truncating", SixTenths, needs=Needs(eight_bit="truncate")),
        spec("rounding", SixTenths),
        spec("noisy", Noisy, stochastic=True),
        spec("blur", Blur),
        spec("blur-in-tiles", Blur, needs=Needs(multiple=8, tile=30, tile_overlap=16)),
        spec("picky", Picky),
        spec("raises", Raises),
        spec("hangs", Hangs),
        spec("slow", Slow),
        spec("raises-at-load", RaisesAtLoad),
        spec("wrong-shape", WrongShape),
        spec("not-finite", NotFinite),
        spec("integers", Integers),
        spec("no-tensor", NoTensor),
        spec("out-of-memory", OutOfMemory),
        spec("exits", Exits),
        spec("ends-its-process", EndsItsProcess),
        spec("reads-null", ReadsNull),
        spec("is-killed", IsKilled),
        spec("dies-once", DiesOnce),
        spec("dies-at-load", DiesAtLoad),
        spec("hangs-in-c", HangsInC),
        spec("grows", Grows, needs=Needs(may_tile=False)),
        spec("grows-when-wide", GrowsWhenWide),
        spec("loses-the-device", LosesTheDevice),
        spec("leaves-a-process", LeavesAProcess),
        spec("counts", Counts),
        spec("no-method", NoMethod),
        spec("half-precision", Fake, needs=Needs(precisions=("fp32", "bf16"))),
        spec("average", Average, kind="refiner"),
        spec("not-a-refiner", Fake, kind="refiner"),
        spec("without-weights", Fake, needs_weights=True),
        spec("needs-more", Fake, requires=("a_module_that_is_nowhere",), extra="more"),
        spec("shy", Fake, non_commercial=True, licence="academic use only"),
        spec("tiny", Tiny, **trainable),
        spec("tiny-refiner", TinyRefiner, kind="refiner", **trainable),
        spec("tiny-that-dies", TinyThatDies, **trainable),
        spec("diverges", Diverges, **trainable),
        spec("tiny-killed-once", TinyKilledOnce, **trainable),
        spec("tiny-killed", TinyKilled, **trainable),
        spec("tiny-sluggish", TinySluggish, **trainable),
        spec("tiny-that-hangs", TinyThatHangs, **trainable),
    ]


@hookimpl
def drivederain_metrics() -> list[MetricSpec]:
    variants = ("raises", "nan", "short")
    return [
        MetricSpec("bad", "goes wrong", f"{__name__}:BadMetric", variants, "higher"),
        MetricSpec("absent", "has no class", f"{__name__}:Absent", ("rgb",), "higher"),
    ]
