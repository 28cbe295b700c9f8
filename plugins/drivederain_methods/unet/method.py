"""The U-Net as a method."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from drivederain.method import LoadedWeights, Method
from drivederain.training.losses import RestorationLoss
from drivederain.training.module import RestorationModule
from drivederain.training.recipe import Recipe
from drivederain.weights import load_state
from drivederain_methods.unet.network import build
from drivederain_methods.unet.options import UNetOptions


class UNet(Method):
    """Restores in one pass."""

    architecture: ClassVar[tuple[str, ...]] = (
        "architecture", "encoder", "depth", "decoder_channels", "residual", "width",
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
        loss = RestorationLoss(l1=1.0, ssim=self.options.ssim_weight, vgg=self.options.vgg_weight)
        module = RestorationModule(self.network, loss=loss, learning_rate=self.options.learning_rate)
        return Recipe(module, crop=self.options.crop, batch_size=self.options.batch_size)

    def state(self) -> dict[str, Tensor]:
        return self.network.state_dict()

    def facts(self) -> dict[str, str | int | float | bool]:
        options = self.options
        network = (
            f"{options.encoder}, depth {options.depth}"
            if options.architecture == "smp"
            else f"custom, width {options.width}"
        )
        return {
            "network": network,
            "encoder weights": self.encoder_weights,
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }

    def close(self) -> None:
        del self.network
