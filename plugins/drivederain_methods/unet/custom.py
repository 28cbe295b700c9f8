"""The plan's own U-Net: channels, downsampling and upsampling as asked for, tanh on [-1, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Downsampling = Literal["maxpool", "stride"]
Upsampling = Literal["transposed", "upsample"]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _half(kind: Downsampling, channels: int) -> nn.Module:
    """Half as high and wide. The convolution is the mirror of the transposed one, and sees each place once."""
    return nn.MaxPool2d(2) if kind == "maxpool" else nn.Conv2d(channels, channels, 2, stride=2)


def _double(kind: Upsampling, inputs: int, outputs: int) -> nn.Module:
    """Twice as high and wide, from ``inputs`` to ``outputs`` channels."""
    if kind == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(inputs, outputs, 3, padding=1))


class CustomUNet(nn.Module):
    """U-Net (Ronneberger et al. 2015) with normalisation, padding, and tanh at its end (the plan).

    Input and output are float32 B x 3 x H x W in [-1, 1]; H and W are multiples of 2**(levels - 1).

    Args:
        channels: of each level, the finest first; the last level is the bottom, which has no skip connection.
        downsampling: ``maxpool`` over 2 x 2 pixels, or ``stride``: a convolution of 2 x 2 and stride 2 that keeps the
            channels.
        upsampling: ``transposed`` convolutions of 2 x 2 and stride 2, or ``upsample``: bilinear interpolation, then a
            convolution of 3 x 3.
        dropout: share of the bottom's channels that are zero in each training step.
    """

    def __init__(
        self,
        channels: Sequence[int],
        *,
        downsampling: Downsampling = "maxpool",
        upsampling: Upsampling = "transposed",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        finer, coarser = list(channels[:-1]), list(channels[1:])
        upwards = list(zip(reversed(coarser), reversed(finer), strict=True))
        self.down = nn.ModuleList(_block(*pair) for pair in zip([3, *finer], channels, strict=True))
        self.shrink = nn.ModuleList(_half(downsampling, count) for count in finer)
        self.dropout = nn.Dropout2d(dropout)
        self.up = nn.ModuleList(_double(upsampling, *pair) for pair in upwards)
        self.merge = nn.ModuleList(_block(2 * count, count) for _, count in upwards)
        self.head = nn.Conv2d(channels[0], 3, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        features, skips = self.down[0](pictures), []
        for shrink, block in zip(self.shrink, self.down[1:], strict=True):
            skips.append(features)
            features = block(shrink(features))
        features = self.dropout(features)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips), strict=True):
            features = merge(torch.cat([skip, up(features)], 1))
        return torch.tanh(self.head(features))
