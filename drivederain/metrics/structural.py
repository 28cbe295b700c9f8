"""Structural similarity (Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
Trans. Image Processing 13(4), 2004) as the mean of its map over a region.

Window: 11 x 11 Gaussian of sigma 1.5; K1 = .01, K2 = .03, peak 255; the map keeps only places where the window lies
within the picture ('valid'), so it is 5 pixels smaller at each side, and the mask is cropped alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from drivederain.metrics.luma import float_luma, rounded_luma
from drivederain.metrics.metric import SharedTruthMetric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region

WINDOW: Final = 11
SIGMA: Final = 1.5
BORDER: Final = WINDOW // 2
C1: Final = (0.01 * 255) ** 2
C2: Final = (0.03 * 255) ** 2

MOMENTS: Final = 3
"""Planes blurred for an output and channel."""

CPU_BAND: Final = 2**20
ACCELERATOR_BAND: Final = 2**24
"""Values of one plane set worked on at once: on a CPU what stays in its cache, on an accelerator what bounds memory."""


def gaussian_taps() -> list[float]:
    """The 11 weights of the separable window; they sum to 1."""
    taps = [math.exp(-((i - BORDER) ** 2) / (2 * SIGMA**2)) for i in range(WINDOW)]
    return [tap / sum(taps) for tap in taps]


TAPS: Final = gaussian_taps()


class SSIM(SharedTruthMetric):
    """Mean structural similarity, at most 1, 1 for identical pictures.

    Variants: ``rgb`` (map of each channel, their mean), ``mprnet`` (luma rounded to 8 bit), ``prenet`` (luma kept as a
    fraction, and both pictures averaged and thinned by :func:`thinning_factor` before, as Wang's ``ssim.m`` does; the
    mask keeps the same pixels, unaveraged).
    """

    version: ClassVar[int] = 2
    variants: ClassVar[tuple[str, ...]] = ("rgb", "mprnet", "prenet")

    def score_many(self, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None) -> list[dict[str, Tensor]]:
        """See :meth:`Metric.score_many`. Raises :class:`~drivederain.errors.MetricError` below 11 x 11 pixels."""
        for output in outputs:
            check_batch(type(self).__name__, output, truth, mask, minimum=WINDOW)
        sums: list[list[Tensor]] = [[] for _ in outputs]
        with torch.inference_mode():
            for i in range(truth.shape[0]):
                maps = ssim_maps([self._planes(output[i]) for output in outputs], self._planes(truth[i]))
                drops = None if mask is None else self._drops(mask[i])
                for found, similarity in zip(sums, maps, strict=True):
                    found.append(sums_by_region(similarity, drops))
            return [means_by_region(found) for found in sums]

    def _drops(self, mask: Tensor) -> Tensor:
        """Boolean h x w at the places of the map."""
        drops = drops_of(mask)
        if self.variant == "prenet":
            factor = thinning_factor(*drops.shape)
            drops = drops[::factor, ::factor]
        return drops[BORDER:-BORDER, BORDER:-BORDER]

    def _planes(self, picture: Tensor) -> Tensor:
        """C x H x W in 0..255, of a uint8 3 x H x W picture: uint8, or for ``prenet`` float32 and thinned."""
        if self.variant == "rgb":
            return picture
        if self.variant == "mprnet":
            return rounded_luma(picture).to(torch.uint8)[None]
        luma = float_luma(picture)[None]
        return thin(luma, thinning_factor(*luma.shape[-2:]))


def ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """Similarity at each place, mean of the channels: (H - 10) x (W - 10).

    :param x: uint8 or float32 C x H x W in 0..255, at least 11 x 11.
    :param y: the same of the other picture.
    """
    return ssim_maps([x], y)[0]


def ssim_maps(outputs: Sequence[Tensor], truth: Tensor) -> list[Tensor]:
    """:func:`ssim_map` of each output and the truth; what depends on the truth alone is worked out once."""
    truth = truth.to(torch.float32, memory_format=torch.contiguous_format)
    channels, height, width = truth.shape
    values = CPU_BAND if truth.device.type == "cpu" else ACCELERATOR_BAND
    rows = max(1, values // (MOMENTS * channels * width) - 2 * BORDER)
    maps = [truth.new_empty(height - 2 * BORDER, width - 2 * BORDER) for _ in outputs]
    # Taken off before squaring: variances stay the same, and float32 loses less of them. A whole number, so that 8-bit
    # values stay exact; of the truth alone, so that every output is scored by the same.
    centre = truth.mean().round()
    for top in range(0, height - 2 * BORDER, rows):
        band = slice(top, min(top + rows, height - 2 * BORDER) + 2 * BORDER)
        reference = _Reference.of(truth[:, band], centre)
        for output, similarity in zip(outputs, maps, strict=True):
            planes = output[:, band].to(torch.float32, memory_format=torch.contiguous_format)
            similarity[top : top + rows] = _band_map(planes, reference)
    return maps


class _Reference(NamedTuple):
    """A band of the truth ``y``, and what follows from it."""

    planes: Tensor
    centre: Tensor
    square: Tensor
    """``(y - centre)^2``."""
    mean: Tensor
    """The window's mean of ``y - centre``."""
    mean_square: Tensor
    """Its square."""
    brightness: Tensor
    """``mu_y^2 + C1``."""

    @classmethod
    def of(cls, planes: Tensor, centre: Tensor) -> _Reference:
        centred = planes - centre
        mean = blur(centred)
        return cls(planes, centre, centred.square_(), mean, mean.square(), (mean + centre).square_().add_(C1))


def _band_map(x: Tensor, truth: _Reference) -> Tensor:
    # With d = x - y three blurs an output are enough: of d, of d^2 and of x^2 + y^2; that of y is the truth's. For
    # 2 mu_x mu_y = mu_x^2 + mu_y^2 - mu_d^2, and likewise twice the covariance is var_x + var_y - var_d. Identical
    # pictures have d = 0 and so exactly 1.
    moments = x.new_empty(MOMENTS, *x.shape)
    torch.sub(x, truth.planes, out=moments[0])
    torch.square(moments[0], out=moments[1])
    torch.sub(x, truth.centre, out=moments[2]).square_().add_(truth.square)
    mean_d, variance_d, variances = blur(moments).unbind()
    mean_x = truth.mean + mean_d
    variances.sub_(mean_x.square().add_(truth.mean_square)).add_(C2)
    brightness = mean_x.add_(truth.centre).square_().add_(truth.brightness)
    square_d = mean_d.square_()
    variance_d.sub_(square_d)
    similarity: Tensor = torch.sub(brightness, square_d, out=square_d)
    similarity.mul_(torch.sub(variances, variance_d, out=variance_d))
    similarity /= brightness.mul_(variances)
    return similarity.mean(dim=0)


def blur(planes: Tensor) -> Tensor:
    """Gaussian window of the last two dimensions, 'valid'.

    Eleven scaled additions a direction and not a convolution, for which a library would choose the algorithm by size
    and, on a GPU, a shorter float type.
    """
    return _blur_along(_blur_along(planes, -2), -1)


def _blur_along(planes: Tensor, dim: int) -> Tensor:
    size = planes.shape[dim] - 2 * BORDER
    blurred = planes.narrow(dim, BORDER, size) * TAPS[BORDER]
    for i in range(BORDER):
        blurred.add_(planes.narrow(dim, i, size), alpha=TAPS[i])
        blurred.add_(planes.narrow(dim, WINDOW - 1 - i, size), alpha=TAPS[i])
    return blurred


def thinning_factor(height: int, width: int) -> int:
    """``max(1, round(min(H, W) / 256))``, halves up as MATLAB rounds."""
    return max(1, (min(height, width) + 128) // 256)


def thin(planes: Tensor, factor: int) -> Tensor:
    """Average over ``factor`` x ``factor`` and keep every ``factor``-th pixel: C x ceil(H / f) x ceil(W / f).

    As ``imfilter(img, ones(f) / f^2, 'symmetric', 'same')`` followed by ``img(1:f:end, 1:f:end)``: the window reaches
    ``(f - 1) // 2`` pixels before the kept one and ``f // 2`` after it, and pictures go on mirrored, edge pixels twice.
    """
    if factor == 1:
        return planes
    for dim in (-2, -1):
        size = planes.shape[dim]
        place = torch.arange(-((factor - 1) // 2), size + factor // 2, device=planes.device)
        place = torch.where(place < 0, -1 - place, place)
        place = torch.where(place >= size, 2 * size - 1 - place, place)
        planes = planes.index_select(dim, place)
    averaged: Tensor = F.avg_pool2d(planes[None], factor, stride=factor)[0]
    return averaged
