"""Structural similarity as a loss, with the benchmark's window: 11 x 11 Gaussian of sigma 1.5, within the picture.

Both have data range 1, so they need pictures in [0, 1]; those of a tanh, in [-1, 1], give another value without an
error. The output is clamped, as similarity is not defined beyond the range; what is clamped has no gradient here, and
is brought back by a term beside this one, as L1.
"""

from __future__ import annotations

from pytorch_msssim import ms_ssim, ssim
from torch import Tensor, nn

from drivederain.training.losses.names import check_crop


class SSIMLoss(nn.Module):
    """``1 - SSIM``, 0..2 (Wang et al., IEEE Trans. Image Processing 13(4), 2004), mean of the RGB channels' maps.

    The negative SSIM of PReNet (Ren et al., "Progressive image deraining networks", CVPR 2019) is this loss less 1:
    the gradient is the same, so there is no term for it.
    """

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss. Raises :class:`~drivederain.errors.OptionError` below 11 x 11 pixels."""
        # Where the window does not fit, pytorch_msssim would only warn, and not smooth.
        check_crop("ssim", min(output.shape[-2:]))
        loss: Tensor = 1 - ssim(output.clamp(0, 1), truth, data_range=1.0)
        return loss


class MSSSIMLoss(nn.Module):
    """``1 - MS-SSIM``, 0..1 (Wang et al., "Multi-scale structural similarity for image quality assessment", Asilomar
    2003): the product of contrast and structure at five scales, each half as large, and of the coarsest's luminance,
    raised to the paper's powers.

    All five scales are kept whatever the crop, as with fewer it would be another measure. A channel whose similarity is
    negative at any scale counts as 0 and has no gradient, so this term too wants one beside it.
    """

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss. Raises :class:`~drivederain.errors.OptionError` below 161 x 161 pixels."""
        check_crop("ms_ssim", min(output.shape[-2:]))
        loss: Tensor = 1 - ms_ssim(output.clamp(0, 1), truth, data_range=1.0)
        return loss
