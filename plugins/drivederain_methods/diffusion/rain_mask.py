"""Where rain is, for a refiner that must change nothing else: seen in what the stage before took off, or predicted."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SEEN = 0.06
"""Mean absolute difference of the colours, of 1, above which the stage before took rain off."""
WIDENED, SOFTENED = 9, 9
"""Pixels: rain reaches a little beyond where it is seen, and a pasted edge must not be."""
NEAR, FAR = 9, 33
"""Pixels: neighbourhoods of the features."""
FEATURES = ("change", "change near", "largest change near", "change far", "light", "sharpness lost", "sharpness")
WEIGHTS: tuple[float, ...] = (10.382, -5.417, 8.489, -7.594, -5.724, -32.048, -9.771)
"""Of the logistic regression, fitted by ``benchmarks/fit_rain_mask.py`` on drawn rain over photographs."""
BIAS = -0.491


def difference_mask(rainy: Tensor, estimate: Tensor) -> Tensor:
    """Where the stage before took rain off: B x 1 x H x W in [0, 1], 1 inside, with soft edges."""
    seen = ((rainy - estimate).abs().mean(1, keepdim=True) > SEEN).float()
    return _soft(functional.max_pool2d(seen, WIDENED, stride=1, padding=WIDENED // 2))


def predicted_mask(rainy: Tensor, estimate: Tensor) -> Tensor:
    """The probability of a drop at each pixel, B x 1 x H x W: a logistic regression on ``features``."""
    weights = torch.tensor(WEIGHTS, device=rainy.device).view(1, -1, 1, 1)
    return _soft(torch.sigmoid((features(rainy, estimate) * weights).sum(1, keepdim=True) + BIAS))


def features(rainy: Tensor, estimate: Tensor) -> Tensor:
    """What a drop is told by, B x 7 x H x W, in the order of ``FEATURES``.

    A drop lies where the stage before changed much and its neighbourhood too; it brightens or darkens, and it takes
    detail from the rainy picture that the estimate has again. Square roots bring small changes nearer to large ones.
    """
    difference = rainy - estimate
    change = difference.abs().mean(1, keepdim=True)
    sharp, sharp_before = _detail(rainy), _detail(estimate)
    return torch.cat(
        [
            change.sqrt(),
            _mean(change, NEAR).sqrt(),
            functional.max_pool2d(change, NEAR, stride=1, padding=NEAR // 2).sqrt(),
            _mean(change, FAR).sqrt(),
            difference.mean(1, keepdim=True),
            sharp_before.sqrt() - sharp.sqrt(),
            sharp.sqrt(),
        ],
        1,
    )


def _detail(picture: Tensor) -> Tensor:
    """Mean absolute difference to the neighbours' mean, around each pixel."""
    light = picture.mean(1, keepdim=True)
    return _mean((light - _mean(light, 3)).abs(), NEAR)


def _mean(values: Tensor, side: int) -> Tensor:
    return functional.avg_pool2d(values, side, stride=1, padding=side // 2, count_include_pad=False)


def _soft(mask: Tensor) -> Tensor:
    return _mean(mask, SOFTENED)
