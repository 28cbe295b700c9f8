"""The loss that methods train with: a weighted sum of terms, each logged by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from drivederain.errors import MethodError
from drivederain.training.losses.learned import LPIPSLoss
from drivederain.training.losses.names import DEFAULT, check_weights
from drivederain.training.losses.perceptual import PerceptualLoss
from drivederain.training.losses.pixel import CharbonnierLoss, EdgeLoss, FrequencyLoss, L1Loss, MSELoss
from drivederain.training.losses.structural import MSSSIMLoss, SSIMLoss

LOSSES: Final[Mapping[str, type[nn.Module]]] = {
    "l1": L1Loss,
    "charbonnier": CharbonnierLoss,
    "mse": MSELoss,
    "vgg": PerceptualLoss,
    "ssim": SSIMLoss,
    "ms_ssim": MSSSIMLoss,
    "edge": EdgeLoss,
    "lpips": LPIPSLoss,
    "frequency": FrequencyLoss,
}
"""What computes each of :data:`drivederain.training.losses.names.TERMS`."""


class RestorationLoss(nn.Module):
    """``sum of weight * term``, as ``RestorationLoss(l1=1, vgg=0.1)``; without any weights ``l1=1, ssim=0.2``.

    A term of weight 0 is not computed, and its network is not built. A term that is not named has no weight: naming one
    term leaves out the others, those of the default too.

    Terms see the output as it is, also beyond [0, 1], so that their gradients pull it back; only SSIM and MS-SSIM,
    which are defined for a data range, clamp it for themselves.

    Raises:
        ValueError: an unknown term, a weight that is negative or not finite, or none above 0.
        WeightsError: the carried weights of a term are missing or damaged.
    """

    def __init__(self, **weights: float) -> None:
        super().__init__()
        self.weights = check_weights(weights or DEFAULT)
        """By term, in the order of ``TERMS``, with the zeros that were given."""
        self.terms = nn.ModuleDict({name: LOSSES[name]() for name, weight in self.weights.items() if weight})

    def forward(self, output: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Return the terms by name, weighted, and their sum as ``loss``: float32 scalars.

        Raises:
            MethodError: output and truth differ in shape.
            OptionError: the pictures are too small for a term.
        """
        if output.shape != truth.shape:
            # Broadcasting would compare every picture with the wrong one, and say nothing.
            raise MethodError(
                f"the output to train has the shape {tuple(output.shape)}, its truth {tuple(truth.shape)}"
            )
        # SSIM's variances are small differences of large numbers: in bf16 they become noise, even infinite.
        with torch.autocast(output.device.type, enabled=False):
            output, truth = output.float(), truth.float()
            terms: dict[str, Tensor] = {
                name: self.weights[name] * term(output, truth) for name, term in self.terms.items()
            }
            terms["loss"] = torch.stack(list(terms.values())).sum()
        return terms
