"""The U-Net as a method."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from drivederain.method import LoadedWeights, Method
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.unet.network import build, in_words
from drivederain_methods.unet.options import UNetOptions


class UNet(Method):
    """Restores in one pass."""

    architecture: ClassVar[tuple[str, ...]] = (
        "architecture", "encoder", "depth", "decoder_channels", "residual", "width", "downsampling", "upsampling",
    )  # fmt: skip
    options: UNetOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        self.network = build(self.options)
        if weights is not None:
            load_state(self.network, weights)
            self.encoder_weights = "not needed: the weights are complete"
        elif self.options.architecture == "smp":
            from drivederain_methods.unet.encoder_weights import load_encoder_weights

            self.encoder_weights = load_encoder_weights(
                self.network.body.encoder, self.options, download=self.may_download
            )
        else:
            self.encoder_weights = "none: the custom network has no pretrained encoder"
        self.network.eval().to(device)

    def restore(self, rainy: Tensor) -> Tensor:
        restored: Tensor = self.network(rainy)
        return restored

    def training(self) -> Recipe:
        return Recipe(RestorationModule(self.network))

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def facts(self) -> dict[str, str | int | float | bool]:
        return {
            "network": in_words(self.options),
            "encoder weights": self.encoder_weights,
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }

    def close(self) -> None:
        del self.network
