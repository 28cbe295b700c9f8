"""Networks of academic, non-commercial code that spandrel_extra_arches carries, bitwise equal to the official ones."""

from __future__ import annotations

import importlib
import warnings
from abc import abstractmethod
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights, Method
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state


class SpandrelMethod(Method):
    """A method whose network is spandrel's; official files tell its sizes, the options are for training one here."""

    name: ClassVar[str]
    """Of the architecture, as spandrel calls it."""
    mark: ClassVar[str]
    """A key that every checkpoint of it has."""
    module: ClassVar[type[RestorationModule]] = RestorationModule

    @abstractmethod
    def build(self) -> nn.Module:
        """The network of the options, with random weights, as training starts."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self._of_a_file = weights is not None and not weights.metadata.get("architecture")
        if weights is not None and self._of_a_file:
            self.network = read_off(
                weights, self.name, self.mark, self.build if self.options.model_fields_set else None
            )
        else:
            self.network = self.build()
            if weights is not None:
                load_state(self.network, weights)
        self.network.eval().to(device)

    def network_options(self) -> dict[str, Any]:
        # A network that was read off a file is read off the file that is trained from it, too.
        return {} if self._of_a_file else super().network_options()

    def training(self) -> Recipe:
        # Smaller crops than the U-Net's: a step costs several times as much.
        return Recipe(self.module(self.network), Hyperparameters(crop=128, batch_size=4))

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def close(self) -> None:
        del self.network


def read_off(weights: LoadedWeights, architecture: str, mark: str, wanted: Callable[[], nn.Module] | None) -> nn.Module:
    """The network that other people's checkpoint describes, loaded with it; every size is read off the tensors.

    Args:
        weights: the checkpoint.
        architecture: as spandrel calls it.
        mark: a key that every checkpoint of it has.
        wanted: builds the network that the user typed options of, if any were typed: it must be that of the file.

    Raises:
        WeightsError: the checkpoint is of another architecture, of another network than was typed, or of one that is
            not for RGB deraining.
    """
    if mark not in weights.tensors:
        raise WeightsError(
            f"{weights.path}: no {architecture} checkpoint ({mark} is missing). "
            f"Give one with --weights {architecture.lower()}=PATH."
        )
    loader = getattr(architecture_module(architecture), f"{architecture}Arch")()
    try:
        descriptor = loader.load({key: value.float() for key, value in weights.tensors.items()})
    except (RuntimeError, LookupError, ValueError, TypeError, ZeroDivisionError) as error:
        raise WeightsError(
            f"{weights.path}: spandrel does not read it as {architecture} ({str(error)[:200]})"
        ) from error
    network: nn.Module = descriptor.model
    if wanted is not None and _shapes(network) != _shapes(_unmade(wanted)):
        raise WeightsError(
            f"{weights.path}: it holds another {architecture} than the options say. The network is read off the file, "
            "so leave the options out, or train another with --train."
        )
    if (descriptor.input_channels, descriptor.output_channels) != (3, 3):
        channels = f"{descriptor.input_channels} to {descriptor.output_channels} channels"
        raise WeightsError(
            f"{weights.path}: a {architecture} of {channels}, not of RGB pictures. Give the deraining one."
        )
    return network


def architecture_module(architecture: str, inside: str = "") -> ModuleType:
    """Spandrel's module of an architecture; ``inside``: that of the network's class, where spandrel's own loader takes
    it from (it is not exported)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spandrel scripts a helper, which torch deprecates
        return importlib.import_module(f"spandrel_extra_arches.architectures.{architecture}{inside}")


def _unmade(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return build()


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}
