"""LPIPS as a loss, with the network and the carried weights of the benchmark's metric."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from drivederain.metrics.perceptual import build_network
from drivederain.training.losses.names import check_crop


class LPIPSLoss(nn.Module):
    """LPIPS 0.1 on AlexNet (Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric",
    CVPR 2018), the ``image`` value of :class:`drivederain.metrics.perceptual.LPIPS`, mean of the batch.

    ``sum over five layers of mean over places of w . (f(output) - f(truth))^2`` with f the layer's features, scaled to
    length 1 over the channels, and w the learned weights of the channels. A method trained with it optimises what the
    benchmark measures, so its LPIPS no longer tells how it does by a measure that it was not trained for.

    Pictures in [0, 1] are brought to the network's scale here; values beyond [0, 1] are not clamped, as the features
    are defined for them.

    Raises:
        WeightsError: the carried file is missing or damaged.
    """

    def __init__(self) -> None:
        super().__init__()
        network = build_network()
        self.scaling, self.trunk = network.scaling_layer, network.net
        # Without the heads' dropout, which train() would switch on.
        self.heads = nn.ModuleList(head.model[-1] for head in network.lins)

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss. Raises :class:`~drivederain.errors.OptionError` below 31 x 31 pixels."""
        check_crop("lpips", min(output.shape[-2:]))
        with torch.no_grad():
            wanted = self._features(truth)
        layers = zip(self.heads, self._features(output), wanted, strict=True)
        loss: Tensor = torch.stack([head((ours - theirs).square()).mean() for head, ours, theirs in layers]).sum()
        return loss

    def _features(self, picture: Tensor) -> list[Tensor]:
        return [_unit(layer) for layer in self.trunk(self.scaling(2 * picture - 1))]


def _unit(features: Tensor) -> Tensor:
    """Features scaled to length 1 over the channels, as the metric does, but not in place: the gradient needs them."""
    scaled: Tensor = features / (torch.linalg.vector_norm(features, dim=1, keepdim=True) + 1e-10)
    return scaled
