"""What the network sees beside the noisy latents: the estimate, and on request the rainy picture."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn


class WithRainy(nn.Module):
    """The first convolution of the base for four more channels, those of the rainy picture.

    The base's own convolution stays as it is, with its bias; what is added begins at zero.
    """

    def __init__(self, own: nn.Conv2d, channels: int) -> None:
        super().__init__()
        self.own, self.taken = own, own.in_channels
        self.rainy = nn.Conv2d(channels, own.out_channels, own.kernel_size, own.stride, own.padding, bias=False)
        nn.init.zeros_(self.rainy.weight)

    def forward(self, latents: Tensor) -> Tensor:
        output: Tensor = self.own(latents[:, : self.taken]) + self.rainy(latents[:, self.taken :])
        return output


def see_rainy(unet: UNet2DConditionModel) -> nn.Conv2d:
    """Let ``unet`` take the rainy picture's latents too, behind those that it takes; return what is to be trained."""
    unet.conv_in = WithRainy(unet.conv_in, unet.config.out_channels)
    return unet.conv_in.rainy


def dropped(count: int, probability: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which of ``count`` rows lose the instruction and which the pictures, as InstructPix2Pix was trained.

    One number a row: below 2p the instruction goes, from p to 3p the pictures; so p of both, p of each alone.
    """
    chance = torch.rand(count, device=device)
    return chance < 2 * probability, (chance >= probability) & (chance < 3 * probability)
