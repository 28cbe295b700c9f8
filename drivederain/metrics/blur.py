"""How much fine detail is missing: what smoothing does that a mean squared error hardly notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from drivederain.metrics.metric import SharedTruthMetric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region

LUMA = (0.299, 0.587, 0.114)
"""Of 8-bit RGB, ITU-R BT.601."""


class Blur(SharedTruthMetric):
    """The share of the truth's fine detail that is missing in a region, in percent.

    Fine detail is the root mean square of the Laplacian (4 neighbours) of luma, which blur takes away first
    (Pech-Pacheco et al., *Diatom autofocusing in brightfield microscopy*, ICPR 2000, judge sharpness by its variance).
    0 also where there is more of it than in the truth, as with noise or rain left in the picture. Pixels whose
    neighbours lie on the other side of a drop's edge belong to neither region.
    """

    variants: ClassVar[tuple[str, ...]] = ("laplacian",)

    def score_many(self, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None) -> list[dict[str, Tensor]]:
        """See :meth:`Metric.score_many`; 0 to 100; 0 where the truth is flat.

        Raises:
            MetricError: pictures smaller than 3 x 3.
        """
        for output in outputs:
            check_batch(type(self).__name__, output, truth, mask, minimum=3)
        with torch.inference_mode():
            beside = _details(truth, mask)
            found = [_details(output, mask) for output in outputs]
            return [
                {region: _missing(values, beside[region]) for region, values in of_output.items()}
                for of_output in found
            ]


def _missing(own: Tensor, beside: Tensor) -> Tensor:
    """Percent, of mean squares; a NaN, the mean of an empty region, stays one."""
    return torch.where(beside == 0, 0.0, (100 * (1 - torch.sqrt(own / beside))).clamp_min(0))


def _details(pictures: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
    """Mean squares of the Laplacian by region, B each; of the inner pixels, H - 2 x W - 2."""
    weights = torch.tensor(LUMA, device=pictures.device)
    regions: dict[str, list[Tensor]] = {}
    for number, picture in enumerate(pictures):
        y = torch.einsum("c,chw->hw", weights, picture.float())
        square = (4 * y[1:-1, 1:-1] - y[:-2, 1:-1] - y[2:, 1:-1] - y[1:-1, :-2] - y[1:-1, 2:]) ** 2
        regions.setdefault("image", []).append(sums_by_region(square, None))
        if mask is not None:
            drops = drops_of(mask[number])[None, None].float()
            inside = -functional.max_pool2d(-drops, 3, stride=1)[0, 0] > 0.5
            outside = functional.max_pool2d(drops, 3, stride=1)[0, 0] < 0.5
            regions.setdefault("drops", []).append(sums_by_region(square, inside)[:, 1:2])
            regions.setdefault("background", []).append(sums_by_region(square, outside)[:, 1:2])
    return {region: means_by_region(of_region)["image"] for region, of_region in regions.items()}
