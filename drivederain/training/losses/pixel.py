"""Losses of the difference ``d = output - truth`` alone: its values, its edges, its spectrum.

None needs its inputs within [0, 1], so nothing is clamped: what the output has too much goes on being pulled back.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHARBONNIER_EPSILON: Final = 1e-3
GAUSSIAN: Final = (0.05, 0.25, 0.4, 0.25, 0.05)
"""Burt and Adelson's generating kernel, a = .4 ("The Laplacian pyramid as a compact image code", IEEE Trans.
Communications 31(4), 1983), the one that MPRNet takes."""


class L1Loss(nn.Module):
    """``mean |d|``."""

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss."""
        loss: Tensor = (output - truth).abs().mean()
        return loss


class CharbonnierLoss(nn.Module):
    """``mean sqrt(d^2 + eps^2)``, eps = .001 (Charbonnier et al., ICIP 1994; as in MPRNet, Zamir et al., CVPR 2021).

    Its least value is eps and not 0. Its gradient at d = 0 is 0, where that of L1 jumps.
    """

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss."""
        return _charbonnier(output - truth)


class MSELoss(nn.Module):
    """``mean d^2``; PSNR is ``-10 log10`` of it."""

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss."""
        loss: Tensor = (output - truth).square().mean()
        return loss


class EdgeLoss(nn.Module):
    """Charbonnier loss between Laplacians: ``mean sqrt((L(output) - L(truth))^2 + eps^2)``, eps = .001.

    Edge loss of Jiang et al. ("Multi-scale progressive fusion network for single image deraining", CVPR 2020) as
    MPRNet computes it (Zamir et al., "Multi-stage progressive image restoration", CVPR 2021). ``L(x)`` is the finest
    level of a Laplacian pyramid: ``x`` less what is left of it when it is smoothed, halved, brought back by zeros in
    between and smoothed again. MPRNet's weight is .05 beside a Charbonnier loss of 1.
    """

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor(GAUSSIAN)
        self.register_buffer("kernel", torch.outer(taps, taps).expand(3, 1, -1, -1).contiguous())

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss."""
        # L is linear: the difference of the Laplacians is the Laplacian of the difference, for half the work.
        return _charbonnier(self._laplacian(output - truth))

    def _laplacian(self, picture: Tensor) -> Tensor:
        smooth = self._smooth(picture)
        sparse = torch.zeros_like(smooth)
        sparse[..., ::2, ::2] = 4 * smooth[..., ::2, ::2]  # a quarter of the places holds all of the brightness
        return picture - self._smooth(sparse)

    def _smooth(self, picture: Tensor) -> Tensor:
        reach = len(GAUSSIAN) // 2
        padded = F.pad(picture, (reach, reach, reach, reach), mode="replicate")
        smooth: Tensor = F.conv2d(padded, self.kernel, groups=3)
        return smooth


class FrequencyLoss(nn.Module):
    """``mean (|Re F(d)| + |Im F(d)|) / 2`` with the orthonormal two-dimensional Fourier transform F of each channel.

    Multi-scale frequency reconstruction loss of MIMO-UNet (Cho et al., "Rethinking coarse-to-fine approach in single
    image deblurring", ICCV 2021) at the one scale that there is. Its authors leave F unnormalised, so that their loss
    grows with the crop: it is ``sqrt(H * W)`` times this one, and their weight of .1 at crops of 256 x 256 is one of
    25.6 here. All of the spectrum is taken: the half that ``rfft2`` gives counts frequencies without a horizontal part
    twice as much as the others, and the loss would change as the picture is turned.
    """

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss."""
        spectrum = torch.fft.fft2(output - truth, norm="ortho")
        loss: Tensor = torch.view_as_real(spectrum).abs().mean()
        return loss


def _charbonnier(difference: Tensor) -> Tensor:
    loss: Tensor = (difference.square() + CHARBONNIER_EPSILON**2).sqrt().mean()
    return loss
