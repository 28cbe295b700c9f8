"""MPRNet as a method; the network is spandrel_extra_arches', bitwise equal to the official code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from drivederain.method import LoadedWeights, Method
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.mprnet.options import MPRNetOptions
from drivederain_methods.spandrel_networks import architecture_module, read_off

MARK = "stage3_orsnet.orb1.body.0.body.0.weight"
"""A key that every MPRNet checkpoint has."""


class MPRNetModule(RestorationModule):
    """Trains all three stages: the official loss is summed over their pictures."""

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        restored: Tensor = self.network(batch["rainy"])[0]
        return restored

    def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        stages = [self.loss(restored, batch["clear"]) for restored in self.network(batch["rainy"])]
        return {name: torch.stack([terms[name] for terms in stages]).sum() for name in stages[0]}


class MPRNet(Method):
    """Restores in three stages, of which the last is taken."""

    architecture: ClassVar[tuple[str, ...]] = ("channels", "growth", "full_growth", "blocks", "reduction")
    options: MPRNetOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self._of_a_file = weights is not None and not weights.metadata.get("architecture")
        if weights is not None and self._of_a_file:
            typed = self.options.model_fields_set
            self.network = read_off(weights, "MPRNet", MARK, (lambda: build(self.options)) if typed else None)
        else:
            self.network = build(self.options)
            if weights is not None:
                load_state(self.network, weights)
        self.network.eval().to(device)

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)[0]
        return restored

    def network_options(self) -> dict[str, Any]:
        # A network that was read off a file is read off the file that is trained from it, too.
        return {} if self._of_a_file else super().network_options()

    def training(self) -> Recipe:
        # Smaller crops than the U-Net's: a step costs several times as much.
        return Recipe(MPRNetModule(self.network), Hyperparameters(crop=128, batch_size=4))

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def facts(self) -> dict[str, str | int | float | bool]:
        return {
            "network": f"three stages, {self.network.shallow_feat1[0].weight.shape[0]} channels",
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }

    def close(self) -> None:
        del self.network


def build(options: MPRNetOptions) -> nn.Module:
    """The network with random weights; what makes the pictures is zero, so that training starts at the identity."""
    network: nn.Module = architecture_module("MPRNet", ".__arch.MPRNet").MPRNet(
        n_feat=options.channels,
        scale_unetfeats=options.growth,
        scale_orsnetfeats=options.full_growth,
        num_cab=options.blocks,
        reduction=options.reduction,
    )
    for last in (network.sam12.conv2, network.sam23.conv2, network.tail):
        nn.init.zeros_(last.weight)
    return network
