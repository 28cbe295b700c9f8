"""BT.601 limited-range luma of 8-bit RGB, the Y that deraining papers score on, in exact integers.

MATLAB's ``rgb2ycbcr`` is ``Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255`` with R, G, B in 0..255. Its coefficients
are 219 times .299, .587 and .114, so ``Y = 16 + 219 L / 255000`` with the integer ``L = 299 R + 587 G + 114 B``.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

FULL_SCALE: Final = 255_000
"""``L`` of white."""

SPAN: Final = 219
"""Steps between black (16) and white (235) in limited range."""

OFFSET: Final = 16


def weighted_sum(picture: Tensor) -> Tensor:
    """``L``, int32 H x W in 0..255000, of a uint8 3 x H x W RGB picture."""
    red, green, blue = picture.to(torch.int32).unbind()
    weighted: Tensor = red * 299 + green * 587 + blue * 114
    return weighted


def rounded_luma(picture: Tensor) -> Tensor:
    """Y rounded to 8 bit, halves up: int32 H x W in 16..235."""
    scaled = weighted_sum(picture) * SPAN + OFFSET * FULL_SCALE + FULL_SCALE // 2
    rounded: Tensor = torch.div(scaled, FULL_SCALE, rounding_mode="floor")
    return rounded


def float_luma(picture: Tensor) -> Tensor:
    """Y as it is, float32 H x W in [16, 235]."""
    return weighted_sum(picture).float() * (SPAN / FULL_SCALE) + OFFSET
