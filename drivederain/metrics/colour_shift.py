"""How far colours are off as the eye sees it: CIEDE2000."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import pi
from typing import ClassVar

import torch
from torch import Tensor

from drivederain.metrics.metric import SharedTruthMetric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region

WHITE = (0.95047, 1.0, 1.08883)
"""Of D65, 2 degree observer."""
XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
"""Of linear sRGB, IEC 61966-2-1."""


class ColourShift(SharedTruthMetric):
    """Mean CIEDE2000 difference of the pixels of a region, in units of which one is about what can just be seen.

    Sharma, Wu and Dalal, *The CIEDE2000 Color-Difference Formula*, Color Research and Application 30(1), 2005, of 8-bit
    sRGB seen in D65, with kL = kC = kH = 1.
    """

    variants: ClassVar[tuple[str, ...]] = ("ciede2000",)

    def score_many(self, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None) -> list[dict[str, Tensor]]:
        """See :meth:`Metric.score_many`; from 0, lower is better."""
        for output in outputs:
            check_batch(type(self).__name__, output, truth, mask)
        sums: list[list[Tensor]] = [[] for _ in outputs]
        with torch.inference_mode():
            for number in range(len(truth)):
                beside = cielab(truth[number])
                drops = None if mask is None else drops_of(mask[number])
                for place, output in enumerate(outputs):
                    sums[place].append(sums_by_region(ciede2000(cielab(output[number]), beside), drops))
        return [means_by_region(of_output) for of_output in sums]


def cielab(picture: Tensor) -> Tensor:
    """CIE L*a*b* in D65, float32 3 x ..., of sRGB, uint8 3 x ...: L* from 0 to 100."""
    linear = _linear(picture.device)[picture.long()]
    matrix = torch.tensor(XYZ, device=picture.device) / torch.tensor(WHITE, device=picture.device)[:, None]
    x, y, z = torch.einsum("ij,j...->i...", matrix, linear)
    delta = 6 / 29
    fx, fy, fz = (
        torch.where(t > delta**3, t.clamp_min(delta**3) ** (1 / 3), t / (3 * delta**2) + 4 / 29) for t in (x, y, z)
    )
    return torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@lru_cache(maxsize=4)
def _linear(device: torch.device) -> Tensor:
    """Linear light in [0, 1] of the 256 steps of sRGB."""
    steps = torch.arange(256, dtype=torch.float64) / 255
    linear = torch.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    return linear.float().to(device)


def ciede2000(one: Tensor, other: Tensor) -> Tensor:
    """The difference between two colours in CIE L*a*b*, 3 x ... each; symmetric, from 0."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_chroma = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2
    stretch = 1.5 - _saturation(mean_chroma) / 2  # 1 + G
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = torch.atan2(b1, a1) % (2 * pi), torch.atan2(b2, a2) % (2 * pi)
    grey = c1 * c2 == 0
    turn = (h2 - h1 + pi) % (2 * pi) - pi
    turn = torch.where(grey, 0.0, turn)
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    # Halfway along the shorter way round; of opposite hues the mean, and where one has no hue the sum, as in the paper.
    hue = torch.where(turn.abs() > pi - 1e-6, (h1 + h2) / 2, h1 + turn / 2)
    hue = torch.where(grey, h1 + h2, hue)
    weight = (
        1
        - 0.17 * torch.cos(hue - pi / 6)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + pi / 30)
        - 0.20 * torch.cos(4 * hue - 63 * pi / 180)
    )
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / torch.sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    degrees = (hue % (2 * pi)) * (180 / pi)
    rotation = -torch.sin(2 * (30 * pi / 180) * torch.exp(-(((degrees - 275) / 25) ** 2))) * 2 * _saturation(chroma)
    d_l, d_c, d_h = (l2 - l1) / s_l, (c2 - c1) / s_c, 2 * torch.sqrt(c1 * c2) * torch.sin(turn / 2) / s_h
    return torch.sqrt((d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h).clamp_min(0))


def _saturation(chroma: Tensor) -> Tensor:
    seventh = (chroma / 25) ** 7
    return torch.sqrt(seventh / (seventh + 1))
