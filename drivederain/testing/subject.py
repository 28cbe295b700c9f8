"""The method that is checked: loaded as a run would load it, on pictures that are drawn for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivederain.engine.device import DeviceRunner
from drivederain.engine.options import agrees, given_architecture, method_options
from drivederain.engine.stages import make_method
from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights, MaskedMethod, Method, Refiner
from drivederain.registry import Registry
from drivederain.specs import MethodSpec
from drivederain.weights import FoundWeights, given, read_weights, shipped

CPU = torch.device("cpu")
Pixels = NDArray[np.uint8]


class Subject:
    """A method of the registry, loaded anew for each check.

    Args:
        name: of the method, or ``checkpoint:PATH``.
        registry: where it is looked up; what is installed by default.
        weights: a file to load it with, else what ships with it. Without either a network is built as for training,
            and its parameters are shaken, so that it does not begin as the identity.
        options: as typed behind ``--set METHOD.``, by name.
    """

    def __init__(
        self,
        name: str,
        *,
        registry: Registry | None = None,
        weights: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.registry = registry or Registry.discover()
        self.spec: MethodSpec = self.registry.method(name)
        self._typed = dict(options or {})
        file = weights or (Path(self.spec.file) if self.spec.file else None)
        found = given(file) if file else self._shipped()
        self._weights = read_weights(found.path, sha256=found.sha256) if found else None
        self._stored = found.architecture if found else {}
        if self.untrained and not self.spec.trainable:
            raise WeightsError(f"{self.spec.name} needs weights. Give some with --weights PATH.")

    def _shipped(self) -> FoundWeights | None:
        """What ships with it, unless options of another network are typed."""
        for spec in self.spec.weights:
            if spec.source.startswith("package:"):
                found = shipped(spec)
                decides = given_architecture(self._typed, tuple(found.architecture))
                wanted = {name: value for name, value in decides.items() if name not in self.spec.adjustable}
                if agrees(found.architecture, wanted):
                    return found
        return None

    @property
    def untrained(self) -> bool:
        """Whether it is checked with random weights."""
        return self.spec.needs_weights and self._weights is None

    @property
    def options(self) -> Any:
        return method_options(self.spec, self._typed, self._stored)

    def make(self) -> Method:
        """The method, not loaded."""
        return make_method(self.spec, self.options, may_download=False)

    def load(self, device: torch.device = CPU, weights: LoadedWeights | None = None) -> Method:
        """The method, loaded on ``device``."""
        method = self.make()
        if not self.untrained or weights is not None:
            method.load(weights or self._weights, device)
            return method
        # The same random network at every load; what a method draws elsewhere stays as it is.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            method.load(None, device)
        _shake(method)
        return method

    def runner(
        self, method: Method | None = None, *, precision: str = "fp32", tile: int | None = None, seed: int = 0
    ) -> DeviceRunner:
        """What runs it in a benchmark, on the CPU."""
        return DeviceRunner(method or self.load(), self.spec, CPU, precision=precision, seed=seed, tile=tile)

    def restore(self, runner: DeviceRunner, *pictures: Pixels, names: Sequence[str] = ()) -> list[Pixels]:
        """What the runner makes of pictures of one size in one batch; see ``estimate_of`` and ``mask_of``.

        ``names`` seed the noise of each picture.
        """
        names = names or [f"picture {number}" for number in range(len(pictures))]
        estimates = [estimate_of(each) for each in pictures] if self.spec.kind == "refiner" else None
        masks = [mask_of(each) for each in pictures] if self.masks else None
        batch = runner.stage(list(pictures), estimates, masks)
        return [each.pixels for each in runner.start(names, batch, timed=True).result()]

    @property
    def masks(self) -> bool:
        """Whether it uses drop masks, as its options are."""
        return self.spec.needs.mask and bool(getattr(self.options, "uses_masks", True))

    def beside(self, rainy: Tensor) -> Tensor | None:
        """What the method gets with the rainy picture: an estimate, or the drop mask."""
        if self.spec.kind == "refiner":
            return 0.75 * rainy
        return (rainy > 0.7).float() if self.masks else None

    def call(self, method: Method, rainy: Tensor, beside: Tensor | None = None) -> Tensor:
        """``restore`` of the method itself, without what the core does around it; see ``beside``."""
        method.generators = [torch.Generator().manual_seed(number) for number in range(len(rainy))]
        beside = self.beside(rainy) if beside is None else beside
        with torch.inference_mode():
            if isinstance(method, (Refiner, MaskedMethod)):
                return method.restore(rainy, beside)
            return method.restore(rainy)

    @property
    def smallest(self) -> int:
        """The smallest side that the method itself takes, in pixels; at least 64."""
        needs = self.spec.needs
        least = max(64, needs.minimum)
        return -(-least // needs.multiple) * needs.multiple


def picture(height: int, width: int, seed: int = 0) -> Pixels:
    """A smooth picture with edges and some noise, H x W x 3."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0:height, 0:width] / 16
    waves = [np.sin(down * (1 + 0.3 * channel) + seed) + np.cos(across * (1.2 - 0.2 * channel)) for channel in range(3)]
    drawn = (
        128 + 45 * np.stack(waves, axis=2) + 30 * (across[..., None] % 3 > 1.5) + rng.normal(0, 4, (height, width, 3))
    )
    return np.asarray(drawn.clip(0, 255), np.uint8)


def estimate_of(rainy: Pixels) -> Pixels:
    """Something like an estimate of a stage before, which took a veil off: refiners may leave alone what was hardly
    changed."""
    return np.asarray(0.75 * rainy, np.uint8)


def mask_of(rainy: Pixels) -> Pixels:
    """A drop mask, H x W: where the picture is bright."""
    return np.asarray(255 * (rainy.mean(2) > 180), np.uint8)


def to_tensor(pixels: Pixels) -> Tensor:
    """1 x 3 x H x W in [0, 1]."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def _shake(method: Method) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for network in method.networks():
            for parameter in network.parameters():
                parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator).to(parameter.device))
