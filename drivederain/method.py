"""What a method plugin implements.

Tensors are float32, B x 3 x H x W, RGB (or BGR where the spec says so), [0, 1], on the device given to ``load``. The
core, not the method, owns padding and cropping, tiling, batching, precision, device, seeds, clamping, 8-bit rounding,
timing and memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

if TYPE_CHECKING:
    from drivederain.training.recipe import Recipe

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class LoadedWeights:
    """Weights after they were found, checked and safely read.

    ``path`` is the file; ``tensors`` its state dict as stored (for layouts with an outer dict, ``contents`` holds it);
    ``metadata`` is what was written beside them when they were trained here (``architecture`` holds the options that
    decide the network), empty for other people's files.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    contents: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    """What other programs wrote into the metadata of a safetensors file."""


class Method(ABC):
    """A stage: restores a clear picture from a rainy one."""

    architecture: ClassVar[tuple[str, ...]] = ()
    """Names of the options that decide the network. They are stored with trained weights, and those stored with the
    weights win over the defaults when the weights are loaded."""

    def __init__(self, options: Any) -> None:
        """``options``: an instance of the spec's pydantic model, or ``None`` for a method without options."""
        self.options = options
        self.generators: list[torch.Generator] = []
        """For stochastic methods: one generator a picture of the batch, set by the core before each ``restore``."""
        self.tile: int | None = None
        """Side of tiles in pixels, for methods that cut large pictures themselves (``Needs.tiles_itself``): their own
        after ``load``, until the core sets another; ``None``: whole."""
        self.may_download = False
        """Whether the user allowed the network (``--download``); set by the core before ``load``."""

    @abstractmethod
    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """Build the network and put it on ``device``.

        ``weights`` is ``None`` for methods without weights and before training.

        Raises:
            WeightsError: the weights are of another architecture; the message names the first keys that differ.
        """

    @abstractmethod
    def restore(self, rainy: Tensor) -> Tensor:
        """Return the restored pictures, of the shape of ``rainy``. Values outside [0, 1] are clamped by the core."""

    def network_options(self) -> dict[str, Any]:
        """The options of ``architecture`` that this network depends on, with their values; stored with its weights."""
        return {name: getattr(self.options, name) for name in self.architecture}

    def training(self) -> Recipe | None:
        """How to train the loaded network, or ``None`` for a method that is not trained here."""
        return None

    def state(self) -> dict[str, Tensor]:
        """The tensors to save after training."""
        return {}

    def header(self) -> dict[str, str]:
        """Metadata to save beside those tensors, where another program looks for them in its own layout."""
        return {}

    def facts(self) -> dict[str, str | int | float | bool]:
        """What the report should say of the loaded method (parameters, encoder weights used, ...)."""
        return {}

    def networks(self) -> list[nn.Module]:
        """The loaded networks: the core counts their parameters and operations and sets their memory format.

        By default the attributes of the method that are modules. A method that keeps them elsewhere (in a dict, in a
        library's pipeline) lists them here.
        """
        return [value for value in vars(self).values() if isinstance(value, nn.Module)]

    # Most methods leave it to Python to free them, so doing nothing is the right default.
    def close(self) -> None:  # noqa: B027
        """Free what ``load`` took."""


class MaskedMethod(Method):
    """A stage that uses the drop masks of the data (``Needs.mask``)."""

    @abstractmethod
    def restore(self, rainy: Tensor, mask: Tensor | None = None) -> Tensor:
        """As ``Method.restore``.

        Args:
            rainy: B x 3 x H x W.
            mask: of the same shape, the same in all channels: 1 where drops are, between at their soft edges; ``None``
                where the options do not use it, or where there is no data set (``derain``).
        """


class Refiner(Method):
    """A refiner also gets the estimate of the stage before it in the chain."""

    fitted_as: ClassVar[Mapping[str, float]] = {}
    """Options that ``fit`` finds when a training with validation pictures has ended, with the values that they have
    while it does. They are among those of ``architecture``."""

    def fit(self, pictures: Iterable[tuple[Pixels, Pixels, Pixels, Pixels]]) -> dict[str, float]:
        """Return the options of ``fitted_as`` that suit these pictures best.

        Args:
            pictures: the rainy one, its estimate, what this refiner made of it, and the clear one: H x W x 3, RGB,
                8 bit.
        """
        return {}

    def restore(self, rainy: Tensor, estimate: Tensor | None = None) -> Tensor:
        """Return the refined pictures from the rainy ones and the ``estimate`` of the stage before."""
        if estimate is None:
            raise TypeError("a refiner needs the estimate of the stage before it")
        return self.refine(rainy, estimate)

    @abstractmethod
    def refine(self, rainy: Tensor, estimate: Tensor) -> Tensor:
        """Return the refined pictures; all three tensors have the same shape."""
