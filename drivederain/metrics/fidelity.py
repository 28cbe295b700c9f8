"""Mean squared error and peak signal-to-noise ratio, by region. Squared errors are summed in exact integers."""

from __future__ import annotations

from typing import ClassVar, Final

import torch
from torch import Tensor

from drivederain.metrics.luma import FULL_SCALE, SPAN, rounded_luma, weighted_sum
from drivederain.metrics.metric import Metric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region

PEAK: Final = 255.0


class MSE(Metric):
    """Mean squared error over a region's pixels, in squared 8-bit steps.

    Variants: ``rgb`` (all three channels), ``mprnet`` (luma rounded to 8 bit), ``prenet`` (luma kept as a fraction);
    see :mod:`drivederain.metrics.luma`.
    """

    variants: ClassVar[tuple[str, ...]] = ("rgb", "mprnet", "prenet")

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`Metric.score`; values >= 0, 0 for identical pictures."""
        return mean_squared_error(type(self).__name__, self.variant, output, truth, mask)


class PSNR(Metric):
    """``10 log10(255^2 / MSE)`` in dB, with the variants of :class:`MSE`."""

    variants: ClassVar[tuple[str, ...]] = MSE.variants

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`Metric.score`; +inf where a region is identical."""
        errors = mean_squared_error(type(self).__name__, self.variant, output, truth, mask)
        return {region: 10 * torch.log10(PEAK**2 / error) for region, error in errors.items()}


def mean_squared_error(
    name: str, variant: str, output: Tensor, truth: Tensor, mask: Tensor | None
) -> dict[str, Tensor]:
    """Region -> B mean squared errors in squared 8-bit steps; ``name`` is for messages."""
    check_batch(name, output, truth, mask)
    with torch.inference_mode():
        # One picture at a time: the integers take several times the room of the 8-bit batch.
        sums = [
            sums_by_region(_squared_error(output[i], truth[i], variant), None if mask is None else drops_of(mask[i]))
            for i in range(output.shape[0])
        ]
        means = means_by_region(sums)
    return {region: mean * _UNIT[variant] for region, mean in means.items()}


def _squared_error(output: Tensor, truth: Tensor, variant: str) -> Tensor:
    """Integer H x W, in units of ``_UNIT[variant]``."""
    if variant == "rgb":
        difference = output.to(torch.int32) - truth.to(torch.int32)
        return difference.mul_(difference).sum(dim=0, dtype=torch.int32)
    if variant == "mprnet":
        return (rounded_luma(output) - rounded_luma(truth)).square_()
    # The square of a difference of up to 255000 needs 64 bit.
    return (weighted_sum(output) - weighted_sum(truth)).to(torch.int64).square_()


_UNIT: Final = {"rgb": 1 / 3, "mprnet": 1.0, "prenet": (SPAN / FULL_SCALE) ** 2}
"""Squared 8-bit steps that one unit of :func:`_squared_error` stands for."""
