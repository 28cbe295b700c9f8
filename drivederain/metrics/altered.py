"""How much of a picture is visibly not what it should be; outside the drops, how much a method made up."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from drivederain.metrics.metric import Metric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region


class Altered(Metric):
    """Share of a region's pixels, in percent, of which a channel differs from the truth by more than the variant says.

    Variant ``16``: by more than 16 of 255 steps. In ``background``, where no drop was, there was next to nothing to
    restore: what differs there beyond the rainy picture's own share is what the method changed without need, as a
    diffusion model that paints what is not there.
    """

    variants: ClassVar[tuple[str, ...]] = ("16",)

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`Metric.score`; values from 0 to 100."""
        check_batch(type(self).__name__, output, truth, mask)
        most = int(self.variant)
        with torch.inference_mode():
            sums = []
            for number in range(len(output)):
                difference = (output[number].to(torch.int16) - truth[number].to(torch.int16)).abs_()
                altered = (difference.amax(dim=0) > most).to(torch.int64)
                sums.append(sums_by_region(altered, None if mask is None else drops_of(mask[number])))
        return {region: 100 * share for region, share in means_by_region(sums).items()}
