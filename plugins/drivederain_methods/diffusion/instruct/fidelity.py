"""Keeping what the VAE would lose: its round trip alone costs more than rain that is left does."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Fidelity = Literal["difference", "low-frequency", "plain"]

LOWEST = 1 / 16
"""Share of the resolution that counts as low frequency: what is coarser than 16 pixels."""


def keep_detail(estimate: Tensor, decoded: Tensor, round_trip: Tensor | None, fidelity: Fidelity) -> Tensor:
    """The refined picture from what was decoded, all B x 3 x H x W.

    ``difference``: the estimate and what was changed between its own round trip through the VAE and the decoded
    picture, so that the error of the trip cancels, and no change gives the estimate itself. ``low-frequency``: the
    decoded picture with the colours of the estimate. ``plain``: as decoded.

    Args:
        round_trip: the estimate after its trip through the VAE; needed for ``difference`` alone.
    """
    if fidelity == "difference":
        if round_trip is None:
            raise TypeError("difference needs the round trip of the estimate")
        return estimate + (decoded - round_trip)
    if fidelity == "low-frequency":
        return decoded + _coarse(estimate - decoded)
    return decoded


def _coarse(picture: Tensor) -> Tensor:
    height, width = picture.shape[-2:]
    small = [max(1, round(side * LOWEST)) for side in (height, width)]
    shrunk = functional.interpolate(picture, small, mode="area")
    with torch.autocast(picture.device.type, enabled=False):
        return functional.interpolate(shrunk.float(), (height, width), mode="bicubic", align_corners=False)
