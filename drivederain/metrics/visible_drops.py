"""How much of the windshield drops still visibly cover, judged from the picture alone."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from drivederain.data.strata import photo_intensity
from drivederain.metrics.metric import NoReferenceMetric, check_output


class VisibleDrops(NoReferenceMetric):
    """The estimated share of a picture that drops visibly cover, in percent.

    It is the estimator that gives photographs without ground truth their intensity, here of the output: the score of
    the rainy input (``identity``) is the severity before, a method's the severity after. docs/strata.md says how well
    it is known. It was fitted to rainy pictures, so that what a method leaves behind, which may look like no drop, can
    deceive it: look at the pictures too.
    """

    variants: ClassVar[tuple[str, ...]] = ("estimated",)

    def score_output(self, output: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`NoReferenceMetric.score_output`; 0 to 100, of whole pictures alone."""
        check_output(type(self).__name__, output)
        pictures = output.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        shares = [100 * float(photo_intensity(picture).evidence["coverage"]) for picture in pictures]
        return {"image": torch.tensor(shares, dtype=torch.float64)}
