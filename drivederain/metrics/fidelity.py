"""Mean squared error and peak signal-to-noise ratio, by region. Squared errors are summed in exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import torch
from torch import Tensor

from drivederain.metrics.luma import FULL_SCALE, SPAN, rounded_luma, weighted_sum
from drivederain.metrics.metric import SharedTruthMetric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region

PEAK: Final = 255.0


class MSE(SharedTruthMetric):
    """Mean squared error over a region's pixels, in squared 8-bit steps.

    Variants: ``rgb`` (all three channels), ``mprnet`` (luma rounded to 8 bit), ``prenet`` (luma kept as a fraction);
    see :mod:`drivederain.metrics.luma`.
    """

    variants: ClassVar[tuple[str, ...]] = ("rgb", "mprnet", "prenet")

    def score_many(self, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None) -> list[dict[str, Tensor]]:
        """See :meth:`Metric.score_many`; values >= 0, 0 for identical pictures."""
        return mean_squared_errors(type(self).__name__, self.variant, outputs, truth, mask)


class PSNR(SharedTruthMetric):
    """``10 log10(255^2 / MSE)`` in dB, with the variants of :class:`MSE`."""

    variants: ClassVar[tuple[str, ...]] = MSE.variants

    def score_many(self, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None) -> list[dict[str, Tensor]]:
        """See :meth:`Metric.score_many`; +inf where a region is identical."""
        errors = mean_squared_errors(type(self).__name__, self.variant, outputs, truth, mask)
        return [{region: 10 * torch.log10(PEAK**2 / error) for region, error in each.items()} for each in errors]


def mean_squared_errors(
    name: str, variant: str, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None
) -> list[dict[str, Tensor]]:
    """For each output region -> B mean squared errors in squared 8-bit steps; ``name`` is for messages."""
    for output in outputs:
        check_batch(name, output, truth, mask)
    sums: list[list[Tensor]] = [[] for _ in outputs]
    with torch.inference_mode():
        # One picture at a time: the integers take several times the room of the 8-bit batch.
        for i in range(truth.shape[0]):
            plane = _integers(truth[i], variant)
            drops = None if mask is None else drops_of(mask[i])
            for output, found in zip(outputs, sums, strict=True):
                found.append(sums_by_region(_squared_error(_integers(output[i], variant), plane), drops))
        means = [means_by_region(found) for found in sums]
    return [{region: mean * _UNIT[variant] for region, mean in each.items()} for each in means]


def _integers(picture: Tensor, variant: str) -> Tensor:
    """Int32, 3 x H x W for ``rgb`` and H x W for luma, of which the differences are squared."""
    if variant == "rgb":
        return picture.to(torch.int32)
    return rounded_luma(picture) if variant == "mprnet" else weighted_sum(picture)


def _squared_error(output: Tensor, truth: Tensor) -> Tensor:
    """Integer H x W, in units of ``_UNIT``; ``output`` is overwritten."""
    difference = output.sub_(truth)
    if difference.ndim == 3:
        return difference.mul_(difference).sum(dim=0, dtype=torch.int32)
    # The square of a difference of up to 255000 needs 64 bit.
    return difference.to(torch.int64).square_()


_UNIT: Final = {"rgb": 1 / 3, "mprnet": 1.0, "prenet": (SPAN / FULL_SCALE) ** 2}
"""Squared 8-bit steps that one unit of :func:`_squared_error` stands for."""
