"""How much of a refinement is kept: all of it in heavy rain, less or nothing where there was little to take off.

A refiner that learnt from all intensities also changes what was nearly right, mostly by a little of the whole picture's
brightness. How much rain there was is told by how much the stage before changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from drivederain.method import Pixels

GATES = (0.0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.16)
BLENDS = tuple(np.linspace(1, 0, 21).round(2).tolist())
"""What is tried, in this order: of equal ones the first is taken, so nothing is held back without need."""


def by_rain(rainy: Tensor, estimate: Tensor, gate: float) -> Tensor:
    """The share that is kept of each picture, B x 1 x 1 x 1 in [0, 1].

    Args:
        rainy: B x 3 x H x W in [0, 1].
        estimate: of the stage before, as ``rainy``.
        gate: mean absolute difference of the two from which on all is kept; below half of it nothing is, in between
            in proportion. 0: all of every picture.
    """
    if gate == 0:
        return torch.ones(len(rainy), 1, 1, 1, device=rainy.device)
    seen = (rainy - estimate).abs().mean((1, 2, 3), keepdim=True)
    return (2 * seen / gate - 1).clamp(0, 1)


def fitted(
    pictures: Iterable[tuple[Pixels, Pixels, Pixels, Pixels]],
    *,
    blends: Sequence[float] = BLENDS,
    gates: Sequence[float] = GATES,
) -> tuple[float, float]:
    """The blend and the gate that give these pictures the highest mean PSNR.

    With the estimate y, the whole refinement r and the clear picture x the squared error of a share s is
    mean (x - y)^2 - 2 s mean (x - y)(r - y) + s^2 mean (r - y)^2, so each picture is looked at once.

    Args:
        pictures: rainy, estimate, refined, clear: H x W x 3, 8 bit.
        blends: shares to try.
        gates: as in ``by_rain``.
    """
    rows = []
    for each in pictures:
        rainy, estimate, refined, clear = (picture.astype(np.float64) / 255 for picture in each)
        error, change = clear - estimate, refined - estimate
        rows.append((np.mean(error**2), np.mean(error * change), np.mean(change**2), np.mean(np.abs(rainy - estimate))))
    left, right, made, seen = np.array(rows).T
    best, chosen = -np.inf, (blends[0], gates[0])
    for gate in gates:
        of_rain = np.clip(2 * seen / gate - 1, 0, 1) if gate else np.ones_like(seen)
        for blend in blends:
            share = blend * of_rain
            squared = np.maximum(left - 2 * share * right + share**2 * made, 1e-10)
            psnr = float(np.mean(-10 * np.log10(squared)))
            if psnr > best + 1e-9:
                best, chosen = psnr, (blend, gate)
    return chosen
