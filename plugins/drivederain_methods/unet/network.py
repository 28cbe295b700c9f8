"""Build the network that the options describe."""

from __future__ import annotations

import segmentation_models_pytorch as smp
from segmentation_models_pytorch.encoders import encoders
from torch import Tensor, nn

from drivederain.errors import OptionError
from drivederain.names import did_you_mean
from drivederain_methods.unet.custom import CustomUNet
from drivederain_methods.unet.options import UNetOptions


class RestoringUNet(nn.Module):
    """A U-Net whose output is a picture in [0, 1] (before clamping).

    ``residual``: rainy + network(rainy), so that an untrained last layer of zeros is the identity. Otherwise the
    output of ``smp`` is the picture itself, that of ``custom`` (the plan's) its tanh brought from [-1, 1] to [0, 1].
    """

    def __init__(self, body: nn.Module, *, residual: bool, tanh: bool) -> None:
        super().__init__()
        self.body, self.residual, self.tanh = body, residual, tanh

    def forward(self, rainy: Tensor) -> Tensor:
        # ImageNet-like centring is not needed: the encoder adapts; [-1, 1] keeps the first layer's inputs balanced.
        change: Tensor = self.body(rainy if self.tanh else rainy * 2 - 1)
        if self.residual:
            return rainy + change
        return (change + 1) / 2 if self.tanh else change


def build(options: UNetOptions) -> RestoringUNet:
    """The network with random weights.

    Raises:
        OptionError: the encoder's name is unknown, or the decoder's channels do not fit the depth.
    """
    if options.architecture == "custom":
        network = RestoringUNet(CustomUNet(options.width, options.dropout), residual=options.residual, tanh=True)
        head = network.body.head
    else:
        if len(options.decoder_channels) != options.depth:
            raise OptionError(
                f"unet.decoder_channels has {len(options.decoder_channels)} entries, "
                f"and unet.depth={options.depth} needs {options.depth}: give both with --set"
            )
        try:
            body = smp.Unet(
                options.encoder,
                encoder_depth=options.depth,
                encoder_weights=None,
                decoder_channels=options.decoder_channels,
                in_channels=3,
                classes=3,
            )
        except Exception as error:  # smp and timm raise whatever an encoder meets: KeyError, TypeError, AssertionError
            known = options.encoder in encoders or options.encoder.startswith("tu-")
            reason = (
                f" ({type(error).__name__}: {str(error)[:200]})" if known else did_you_mean(options.encoder, encoders)
            )
            raise OptionError(
                f"unet.encoder={options.encoder}: segmentation-models-pytorch does not build it"
                f" with unet.depth={options.depth}.{reason}"
            ) from error
        network = RestoringUNet(body, residual=options.residual, tanh=False)
        head = body.segmentation_head[0]
    if options.residual:
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
    return network
