"""Normalisation over the channels of each pixel, for networks that are built with another one."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class PixelNorm(nn.Module):
    """Layer normalisation of each pixel's channels, B x C x H x W: a pixel's output depends on no other pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        last = functional.layer_norm(features.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias)
        return last.permute(0, 3, 1, 2)


def by_pixel(network: nn.Module) -> None:
    """Put a ``PixelNorm`` in the place of every ``GroupNorm`` of ``network``."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, PixelNorm(child.num_channels))
