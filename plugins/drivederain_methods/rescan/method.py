"""RESCAN as a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights, Method
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.file_options import with_what_the_file_tells
from drivederain_methods.rescan.network import RESCAN, UnitName
from drivederain_methods.rescan.options import RESCANOptions

UNITS: dict[str, UnitName] = {"conv_xz": "GRU", "conv_xj": "LSTM", "conv_x": "RNN", "conv": "Conv"}
"""The convolution of the first layer that only this unit has."""


class RESCANModule(RestorationModule):
    """Trains all stages: the official loss is the squared error of the rain, summed over them."""

    network: RESCAN

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        # Batches are RGB, and the network's pictures BGR.
        restored: Tensor = self.network(batch["rainy"].flip(1)).flip(1)
        return restored

    def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        rainy, clear = batch["rainy"].flip(1), batch["clear"].flip(1)
        rain = rainy - clear
        stages = torch.stack([(found.float() - rain).square().mean() for found in self.network.rain(rainy)])
        return {"mse": stages[-1], "loss": stages.sum()}


class RESCANMethod(Method):
    """Takes rain off in stages."""

    architecture: ClassVar[tuple[str, ...]] = ("unit", "frame", "depth", "channels", "stages", "squeeze")
    options: RESCANOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        if weights is not None:
            self.options = with_what_the_file_tells(self.options, read_off(weights), weights.path)
        options = self.options
        self.network = RESCAN(
            unit=options.unit,
            depth=options.depth,
            channels=options.channels,
            squeeze=options.squeeze,
            add=options.frame == "Add",
            stages=options.stages,
        )
        if weights is not None:
            load_state(self.network, weights)
        self.network.eval().to(device)

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)
        return restored

    def training(self) -> Recipe:
        return Recipe(
            RESCANModule(self.network),
            Hyperparameters(crop=64, batch_size=16),
            own_loss="the mean squared error of the rain, summed over its stages",
        )

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def facts(self) -> dict[str, str | int | float | bool]:
        layer = self.network.rnns[0]
        return {
            "network": f"{self.network.stages} stages of {len(self.network.rnns)} layers, {layer.unit}",
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }

    def close(self) -> None:
        del self.network


def read_off(weights: LoadedWeights) -> dict[str, Any]:
    """What the tensors tell of the network: unit, depth, channels, squeeze-and-excitation.

    Raises:
        WeightsError: they are of no RESCAN.
    """
    units = [unit for name, unit in UNITS.items() if f"rnns.0.{name}.weight" in weights.tensors]
    layers = {key.split(".")[1] for key in weights.tensors if key.startswith("rnns.")}
    if not units or "dec.0.weight" not in weights.tensors:
        raise WeightsError(
            f"{weights.path}: no RESCAN checkpoint (rnns.0 or dec.0 is missing). Give one with --weights rescan=PATH."
        )
    return {
        "unit": units[0],
        "depth": len(layers) + 2,
        "channels": int(weights.tensors["dec.0.weight"].shape[0]),
        "squeeze": "dec.1.fc.0.weight" in weights.tensors,
    }
