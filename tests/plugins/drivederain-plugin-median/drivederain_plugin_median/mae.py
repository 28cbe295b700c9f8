"""The metric."""

from __future__ import annotations

from torch import Tensor

from drivederain.metrics.metric import Metric, check_batch


class MAE(Metric):
    """Mean absolute difference of 8-bit values, over the picture only."""

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        check_batch("mae", output, truth, mask)
        return {"image": (output.double() - truth.double()).abs().mean(dim=(1, 2, 3)).cpu()}
