"""MPRNet as a method; the network is spandrel_extra_arches', bitwise equal to the official code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from drivederain.training.module import RestorationModule
from drivederain_methods.mprnet.options import MPRNetOptions
from drivederain_methods.spandrel_networks import SpandrelMethod, architecture_module


class MPRNetModule(RestorationModule):
    """Trains all three stages: the official loss is summed over their pictures."""

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        restored: Tensor = self.network(batch["rainy"])[0]
        return restored

    def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        stages = [self.loss(restored, batch["clear"]) for restored in self.network(batch["rainy"])]
        return {name: torch.stack([terms[name] for terms in stages]).sum() for name in stages[0]}


class MPRNet(SpandrelMethod):
    """Restores in three stages, of which the last is taken."""

    architecture: ClassVar[tuple[str, ...]] = ("channels", "growth", "full_growth", "blocks", "reduction")
    name = "MPRNet"
    mark = "stage3_orsnet.orb1.body.0.body.0.weight"
    module = MPRNetModule
    options: MPRNetOptions

    def build(self) -> nn.Module:
        """The network with random weights; what makes the pictures is zero, so that training starts at the identity."""
        network: nn.Module = architecture_module("MPRNet", ".__arch.MPRNet").MPRNet(
            n_feat=self.options.channels,
            scale_unetfeats=self.options.growth,
            scale_orsnetfeats=self.options.full_growth,
            num_cab=self.options.blocks,
            reduction=self.options.reduction,
        )
        for last in (network.sam12.conv2, network.sam23.conv2, network.tail):
            nn.init.zeros_(last.weight)
        return network

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)[0]
        return restored

    def facts(self) -> dict[str, str | int | float | bool]:
        return {
            "network": f"three stages, {self.network.shallow_feat1[0].weight.shape[0]} channels",
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }
