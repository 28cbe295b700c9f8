"""The plan's own U-Net: five levels, 64-128-256-512-1024 channels, tanh output."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class CustomUNet(nn.Module):
    """Four max-pools down, four transposed convolutions up (Ronneberger et al. 2015), tanh on [-1, 1] (the plan).

    Input and output float32 B x 3 x H x W; the input is in [0, 1] and is brought to [-1, 1] inside, the output is the
    tanh. H and W are multiples of 16.
    """

    def __init__(self, width: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(5)]
        self.down = nn.ModuleList([_block(3, channels[0])] + [_block(channels[i], channels[i + 1]) for i in range(4)])
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(dropout)
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(channels[i + 1], channels[i], 2, stride=2) for i in reversed(range(4))]
        )
        self.merge = nn.ModuleList([_block(2 * channels[i], channels[i]) for i in reversed(range(4))])
        self.head = nn.Conv2d(channels[0], 3, 1)

    def forward(self, rainy: Tensor) -> Tensor:
        features, skips = rainy * 2 - 1, []
        for level, block in enumerate(self.down):
            features = block(features if level == 0 else self.pool(features))
            skips.append(features)
        features = self.dropout(features)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips[:-1]), strict=True):
            features = merge(torch.cat([skip, up(features)], 1))
        return torch.tanh(self.head(features))
