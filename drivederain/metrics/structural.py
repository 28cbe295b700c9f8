"""Structural similarity (Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
Trans. Image Processing 13(4), 2004) as the mean of its map over a region.

Window: 11 x 11 Gaussian of sigma 1.5; K1 = .01, K2 = .03, peak 255; the map keeps only places where the window lies
within the picture ('valid'), so it is 5 pixels smaller at each side, and the mask is cropped alike.
"""

from __future__ import annotations

import math
from typing import ClassVar, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from drivederain.metrics.luma import float_luma, rounded_luma
from drivederain.metrics.metric import Metric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region

WINDOW: Final = 11
SIGMA: Final = 1.5
BORDER: Final = WINDOW // 2
C1: Final = (0.01 * 255) ** 2
C2: Final = (0.03 * 255) ** 2

CENTRE: Final = 128.0
"""Taken off before squaring: variances stay the same, and float32 loses less of them."""

CPU_BAND: Final = 2**19
ACCELERATOR_BAND: Final = 2**24
"""Values of one plane set worked on at once: on a CPU what stays in its cache, on an accelerator what bounds memory."""


def gaussian_taps() -> list[float]:
    """The 11 weights of the separable window; they sum to 1."""
    taps = [math.exp(-((i - BORDER) ** 2) / (2 * SIGMA**2)) for i in range(WINDOW)]
    return [tap / sum(taps) for tap in taps]


TAPS: Final = gaussian_taps()


class SSIM(Metric):
    """Mean structural similarity, at most 1, 1 for identical pictures.

    Variants: ``rgb`` (map of each channel, their mean), ``mprnet`` (luma rounded to 8 bit), ``prenet`` (luma kept as a
    fraction, and both pictures averaged and thinned by :func:`thinning_factor` before, as Wang's ``ssim.m`` does; the
    mask keeps the same pixels, unaveraged).
    """

    variants: ClassVar[tuple[str, ...]] = ("rgb", "mprnet", "prenet")

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`Metric.score`. Raises :class:`~drivederain.errors.MetricError` below 11 x 11 pixels."""
        check_batch(type(self).__name__, output, truth, mask, minimum=WINDOW)
        with torch.inference_mode():
            sums = [self._sums(output[i], truth[i], None if mask is None else mask[i]) for i in range(output.shape[0])]
            return means_by_region(sums)

    def _sums(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> Tensor:
        x, y = self._planes(output), self._planes(truth)
        if self.variant == "prenet":
            factor = thinning_factor(*x.shape[-2:])
            x, y = thin(x, factor), thin(y, factor)
            mask = None if mask is None else mask[..., ::factor, ::factor]
        drops = None if mask is None else drops_of(mask)[BORDER:-BORDER, BORDER:-BORDER]
        return sums_by_region(ssim_map(x, y), drops)

    def _planes(self, picture: Tensor) -> Tensor:
        """Float32 C x H x W in 0..255, of a uint8 3 x H x W picture."""
        if self.variant == "rgb":
            return picture.float()
        luma = rounded_luma(picture).float() if self.variant == "mprnet" else float_luma(picture)
        return luma[None]


def ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """Similarity at each place, mean of the channels: (H - 10) x (W - 10).

    :param x: float32 C x H x W in 0..255, at least 11 x 11.
    :param y: the same of the other picture.
    """
    channels, height, width = x.shape
    values = CPU_BAND if x.device.type == "cpu" else ACCELERATOR_BAND
    rows = max(1, values // (4 * channels * width) - 2 * BORDER)
    result = x.new_empty(height - 2 * BORDER, width - 2 * BORDER)
    for top in range(0, height - 2 * BORDER, rows):
        band = slice(top, min(top + rows, height - 2 * BORDER) + 2 * BORDER)
        result[top : top + rows] = _band_map(x[:, band], y[:, band])
    return result


def _band_map(x: Tensor, y: Tensor) -> Tensor:
    # With s = x + y and d = x - y four moments are enough: mu_x^2 + mu_y^2 = (mu_s^2 + mu_d^2) / 2 and
    # 2 mu_x mu_y = (mu_s^2 - mu_d^2) / 2, and the same of the second moments.
    total, difference = x + y - 2 * CENTRE, x - y
    moments = torch.stack([total, difference, total.square(), difference.square()])
    mean_s, mean_d, square_s, square_d = blur(moments).unbind()
    variance_s, variance_d = square_s - mean_s.square(), square_d - mean_d.square()
    mean_s = mean_s.add_(2 * CENTRE).square_()
    mean_d = mean_d.square_()
    similarity: Tensor = (mean_s - mean_d).add_(2 * C1).mul_((variance_s - variance_d).add_(2 * C2))
    similarity /= mean_s.add_(mean_d).add_(2 * C1).mul_(variance_s.add_(variance_d).add_(2 * C2))
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
