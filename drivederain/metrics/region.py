"""Regions of a picture: all of it, what lies behind drops, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

DROP_THRESHOLD: Final = 0.1
"""A pixel lies behind a drop where the soft mask is above this."""

REGIONS: Final = ("image", "drops", "background")


def drops_of(mask: Tensor) -> Tensor:
    """Boolean H x W from one picture's soft mask, 1 x H x W or H x W."""
    return mask.reshape(mask.shape[-2:]) > DROP_THRESHOLD


def sums_by_region(values: Tensor, drops: Tensor | None) -> Tensor:
    """Sums of ``values`` (H x W) and numbers of pixels, on the device: 2 x 1, or 2 x 3 with ``drops`` (boolean H x W).

    Integers are summed exactly, in 64 bit. Floats are summed in float64; devices without it (MPS) keep float32.
    """
    kind = torch.int64
    if values.dtype.is_floating_point:
        kind = torch.float32 if values.device.type == "mps" else torch.float64
    pixels = torch.tensor(values.numel(), device=values.device)
    total = values.sum(dtype=kind)
    if drops is None:
        return torch.stack([total, pixels.to(kind)])[:, None]
    behind = torch.where(drops, values, 0).sum(dtype=kind)
    rest = torch.where(drops, 0, values).sum(dtype=kind)
    count = drops.sum()
    sums = torch.stack([total, behind, rest])
    return torch.stack([sums, torch.stack([pixels, count, pixels - count]).to(kind)])


def means_by_region(sums: Sequence[Tensor]) -> dict[str, Tensor]:
    """Region -> B means, float64 on the CPU, of one :func:`sums_by_region` a picture. An empty region's mean is NaN."""
    total, count = torch.stack(list(sums)).cpu().double().unbind(dim=1)
    return dict(zip(REGIONS, (total / count).unbind(dim=1), strict=False))
