"""Restormer as a method; the network is spandrel_extra_arches', bitwise equal to the official code."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from drivederain_methods.restormer.options import RestormerOptions
from drivederain_methods.spandrel_networks import SpandrelMethod, architecture_module


class Restormer(SpandrelMethod):
    """Restores in one pass."""

    architecture: ClassVar[tuple[str, ...]] = ("dim", "blocks", "refinement", "heads", "ffn")
    name = "Restormer"
    mark = "encoder_level1.0.attn.temperature"
    options: RestormerOptions

    def build(self) -> nn.Module:
        """The network with random weights; its last convolution is zero, so that training starts at the identity."""
        network: nn.Module = architecture_module("Restormer", ".__arch.restormer_arch").Restormer(
            inp_channels=3,
            out_channels=3,
            dim=self.options.dim,
            num_blocks=list(self.options.blocks),
            num_refinement_blocks=self.options.refinement,
            heads=list(self.options.heads),
            ffn_expansion_factor=self.options.ffn,
            bias=False,
            LayerNorm_type="WithBias",
            dual_pixel_task=False,
        )
        nn.init.zeros_(network.output.weight)
        return network

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)
        return restored

    def facts(self) -> dict[str, str | int | float | bool]:
        return {
            "network": f"dim {self.network.patch_embed.proj.weight.shape[0]}",
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }
