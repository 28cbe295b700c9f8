"""Restormer as a method; the network is spandrel_extra_arches', bitwise equal to the official code."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType
from typing import ClassVar

import torch
from torch import Tensor, nn

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights, Method
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.restormer.options import RestormerOptions

MARK = "encoder_level1.0.attn.temperature"
"""A key that every Restormer checkpoint has."""


class Restormer(Method):
    """Restores in one pass."""

    architecture: ClassVar[tuple[str, ...]] = ("dim", "blocks", "refinement", "heads", "ffn")
    options: RestormerOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        if weights is not None and "architecture" not in weights.metadata:
            self.network = read_off(weights)
        else:
            self.network = build(self.options)
            if weights is not None:
                load_state(self.network, weights)
        self.network.eval().to(device)

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)
        return restored

    def training(self) -> Recipe:
        # Smaller crops than the U-Net's: a step costs several times as much.
        return Recipe(RestorationModule(self.network), Hyperparameters(crop=128, batch_size=4))

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def facts(self) -> dict[str, str | int | float | bool]:
        return {
            "network": f"dim {self.network.patch_embed.proj.weight.shape[0]}",
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }

    def close(self) -> None:
        del self.network


def read_off(weights: LoadedWeights) -> nn.Module:
    """The network that other people's checkpoint describes, loaded with it; every size is read off the tensors.

    Raises:
        WeightsError: the checkpoint is of another architecture, or of a network that is not for RGB deraining.
    """
    if MARK not in weights.tensors:
        raise WeightsError(
            f"{weights.path}: no Restormer checkpoint ({MARK} is missing). Give one with --weights restormer=PATH."
        )
    try:
        descriptor = _spandrel("").RestormerArch().load({key: value.float() for key, value in weights.tensors.items()})
    except (RuntimeError, LookupError, ValueError, TypeError) as error:
        raise WeightsError(f"{weights.path}: spandrel does not read it as Restormer ({str(error)[:200]})") from error
    network: nn.Module = descriptor.model
    if (descriptor.input_channels, descriptor.output_channels) != (3, 3):
        channels = f"{descriptor.input_channels} to {descriptor.output_channels} channels"
        raise WeightsError(f"{weights.path}: a Restormer of {channels}, not of RGB pictures. Give the deraining one.")
    return network


def build(options: RestormerOptions) -> nn.Module:
    """The network with random weights; its last convolution is zero, so that training starts at the identity."""
    # The class is not exported by spandrel; the file is where its own loader takes it from.
    network: nn.Module = _spandrel(".__arch.restormer_arch").Restormer(
        inp_channels=3,
        out_channels=3,
        dim=options.dim,
        num_blocks=list(options.blocks),
        num_refinement_blocks=options.refinement,
        heads=list(options.heads),
        ffn_expansion_factor=options.ffn,
        bias=False,
        LayerNorm_type="WithBias",
        dual_pixel_task=False,
    )
    nn.init.zeros_(network.output.weight)
    return network


def _spandrel(module: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spandrel scripts a helper, which torch deprecates
        return importlib.import_module(f"spandrel_extra_arches.architectures.Restormer{module}")
