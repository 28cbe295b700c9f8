"""The network of DerainNet: three convolutions clean the detail of a picture (Fu et al., IEEE TIP 26(6), 2017).

A guided filter takes the detail apart from the base, which stays as it is.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from drivederain_methods.guided_filter import guided_filter

FEATURES = 512
RADIUS, EPSILON = 15, 1.0
"""Of the guided filter, for pictures in [0, 1]."""
BORDER = 10
"""Pixels that the picture is continued by, mirrored with its edge, as the official code does."""
EDGE = 4
"""Pixels that the convolutions take off each side."""
CUT = BORDER - EDGE
"""Pixels that their output of the continued picture is still larger by."""


class DerainNet(nn.Module):
    """Restores B x 3 x H x W in [0, 1], RGB."""

    def __init__(self, activation: Literal["relu", "tanh"] = "relu") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, FEATURES, 16)
        self.conv2 = nn.Conv2d(FEATURES, FEATURES, 1)
        self.deconv = nn.ConvTranspose2d(FEATURES, 3, 8)
        self.activation = activation

    def forward(self, rainy: Tensor) -> Tensor:
        base, detail = self.layers(rainy)
        return base + self.clean(detail)

    def layers(self, rainy: Tensor) -> tuple[Tensor, Tensor]:
        """The base, of the picture's size, and the detail, which is ``BORDER`` larger on each side."""
        wide = mirrored(rainy, BORDER)
        base = guided_filter(wide, RADIUS, EPSILON)
        inside = (..., slice(BORDER, -BORDER), slice(BORDER, -BORDER))
        return base[inside], wide - base

    def clean(self, detail: Tensor) -> Tensor:
        """The detail without rain.

        Args:
            detail: B x 3 x (H + 2 BORDER) x (W + 2 BORDER), about [-1, 1], of a picture of H x W.

        Returns:
            B x 3 x H x W.
        """
        return self.clean_inside(detail)[..., CUT:-CUT, CUT:-CUT]

    def clean_inside(self, detail: Tensor) -> Tensor:
        """The detail without rain of B x 3 x H x W, where convolutions see no border: ``EDGE`` less on each side."""
        bend = torch.relu if self.activation == "relu" else torch.tanh
        cleaned: Tensor = self.deconv(bend(self.conv2(bend(self.conv1(detail)))))
        return cleaned


def mirrored(picture: Tensor, border: int) -> Tensor:
    """A picture continued on all sides by its mirror image, the edge itself twice; again and again where it is small.

    Args:
        picture: ... x H x W.
        border: in pixels, of each side.

    Returns:
        ... x (H + 2 border) x (W + 2 border).
    """
    for axis in (-2, -1):
        length = picture.shape[axis]
        there = torch.arange(-border, length + border, device=picture.device) % (2 * length)
        picture = picture.index_select(axis, torch.where(there < length, there, 2 * length - 1 - there))
    return picture
