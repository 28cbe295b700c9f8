"""Restormer as a method; the network is spandrel_extra_arches', bitwise equal to the official code."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from drivederain.method import LoadedWeights, Method
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.restormer.options import RestormerOptions
from drivederain_methods.spandrel_networks import architecture_module, read_off

MARK = "encoder_level1.0.attn.temperature"
"""A key that every Restormer checkpoint has."""


class Restormer(Method):
    """Restores in one pass."""

    architecture: ClassVar[tuple[str, ...]] = ("dim", "blocks", "refinement", "heads", "ffn")
    options: RestormerOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self._of_a_file = weights is not None and not weights.metadata.get("architecture")
        if weights is not None and self._of_a_file:
            typed = self.options.model_fields_set
            self.network = read_off(weights, "Restormer", MARK, (lambda: build(self.options)) if typed else None)
        else:
            self.network = build(self.options)
            if weights is not None:
                load_state(self.network, weights)
        self.network.eval().to(device)

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)
        return restored

    def network_options(self) -> dict[str, Any]:
        # A network that was read off a file is read off the file that is trained from it, too.
        return {} if self._of_a_file else super().network_options()

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


def build(options: RestormerOptions) -> nn.Module:
    """The network with random weights; its last convolution is zero, so that training starts at the identity."""
    network: nn.Module = architecture_module("Restormer", ".__arch.restormer_arch").Restormer(
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
