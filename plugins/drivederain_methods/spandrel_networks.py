"""Networks of academic, non-commercial code that spandrel_extra_arches carries, bitwise equal to the official ones."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from types import ModuleType

import torch
from torch import nn

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights


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
