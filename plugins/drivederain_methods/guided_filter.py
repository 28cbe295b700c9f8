"""The guided filter with the picture as its own guide: what smooths, and keeps edges."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def guided_filter(picture: Tensor, radius: int, epsilon: float) -> Tensor:
    """The guided filter of He et al. (ECCV 2010, "Guided image filtering", equations 5, 6 and 8).

    Each channel of B x C x H x W is its own guide. Windows reach over the picture's border with what lies inside.

    Args:
        picture: values in [0, 1].
        radius: of the windows, in pixels: they are 2 * radius + 1 wide.
        epsilon: variance below which a window is smoothed.
    """

    def mean(values: Tensor) -> Tensor:
        side = 2 * radius + 1
        # Along one side after the other: the same means, at a fraction of the additions.
        rows = functional.avg_pool2d(values, (side, 1), 1, (radius, 0), count_include_pad=False)
        return functional.avg_pool2d(rows, (1, side), 1, (0, radius), count_include_pad=False)

    average = mean(picture)
    # Rounding may leave a flat window a little below zero.
    variance = (mean(picture * picture) - average * average).clamp(min=0)
    slope = variance / (variance + epsilon)
    return mean(slope) * picture + mean(average - slope * average)
