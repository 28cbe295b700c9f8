"""DerainNet as a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights, Method
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.derainnet.network import EDGE, EPSILON, RADIUS, DerainNet
from drivederain_methods.derainnet.options import DerainNetOptions
from drivederain_methods.guided_filter import guided_filter

BUNDLE = {
    "DerainNet/conv2d/": "conv1.",
    "DerainNet/conv2d_1/": "conv2.",
    "DerainNet/conv2d_transpose/": "deconv.",
}
"""Names in the released TensorFlow checkpoint, and ours."""


class DerainNetModule(RestorationModule):
    """Trains on the squared error of the detail, which is what the network makes.

    As its author's training code does: the detail of the rainy crop against that of the clear one, each by the crop's
    own guided filter, and only where the convolutions see no border.
    """

    network: DerainNet

    def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        rainy, clear = (each - guided_filter(each, RADIUS, EPSILON) for each in (batch["rainy"], batch["clear"]))
        made = self.network.clean_inside(rainy).float()
        loss = (made - clear[..., EDGE:-EDGE, EDGE:-EDGE]).square().mean()
        return {"mse": loss, "loss": loss}


class DerainNetMethod(Method):
    """Restores in one pass."""

    architecture: ClassVar[tuple[str, ...]] = ("activation",)
    options: DerainNetOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self.network = DerainNet(self.options.activation)
        if weights is not None:
            load_state(self.network, from_bundle(weights))
        self.network.eval().to(device)

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)
        return restored

    def training(self) -> Recipe:
        return Recipe(
            DerainNetModule(self.network),
            Hyperparameters(crop=64, batch_size=16),
            own_loss="the mean squared error of the detail",
        )

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def facts(self) -> dict[str, str | int | float | bool]:
        return {
            "network": f"three convolutions on the detail, {self.options.activation}",
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }

    def close(self) -> None:
        del self.network


def from_bundle(weights: LoadedWeights) -> LoadedWeights:
    """The tensors of the released TensorFlow checkpoint by our names and in torch's order; others as they are.

    Raises:
        WeightsError: it is such a checkpoint, of another network.
    """
    if not any(name.startswith("DerainNet/") for name in weights.tensors):
        return weights
    tensors = {}
    for name, value in weights.tensors.items():
        prefix = next((each for each in BUNDLE if name.startswith(each)), None)
        if prefix is None:
            raise WeightsError(
                f"{weights.path}: it holds {name}, which DerainNet has not. Give the released checkpoint."
            )
        kind = name.removeprefix(prefix)
        # Height x width x in x out there, out x in x height x width here; in and out of the transposed one swap places.
        tensors[BUNDLE[prefix] + {"kernel": "weight"}.get(kind, kind)] = (
            value.permute(3, 2, 0, 1).contiguous() if kind == "kernel" else value
        )
    return replace(weights, tensors=tensors)
