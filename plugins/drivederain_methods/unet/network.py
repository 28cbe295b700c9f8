"""Build the network that the options describe."""

from __future__ import annotations

import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.encoders import encoders
from torch import Tensor, nn

from drivederain.errors import OptionError
from drivederain.names import did_you_mean
from drivederain_methods.unet.custom import CustomUNet
from drivederain_methods.unet.options import UNetOptions

TRIED = (64, 96)
"""Height and width, in pixels, that every encoder must take. Pictures come padded to multiples of 32 and to 64 at
least: the height is the least one, the width an odd multiple, so that sizes within the network are odd too."""


class RestoringUNet(nn.Module):
    """A U-Net whose output is a picture in [0, 1] (before clamping).

    Its ``body`` sees the rainy picture brought to [-1, 1]: ImageNet's means are not needed, for the encoder adapts, and
    this keeps the first layer's inputs balanced. What the body puts out is

    - with ``residual`` what to add to the rainy picture. A change of a picture in [0, 1] is in [-1, 1], the range of
      the tanh of ``custom``, so it needs no scaling. A last layer of zeros is the identity.
    - otherwise the picture: with ``tanh`` in [-1, 1], brought to [0, 1] here, else as it is.
    """

    def __init__(self, body: nn.Module, *, residual: bool, tanh: bool) -> None:
        super().__init__()
        self.body, self.residual, self.tanh = body, residual, tanh

    def forward(self, rainy: Tensor) -> Tensor:
        output: Tensor = self.body(rainy * 2 - 1)
        if self.residual:
            return rainy + output
        return (output + 1) / 2 if self.tanh else output


def build(options: UNetOptions) -> RestoringUNet:
    """The network with random weights.

    Raises:
        OptionError: the encoder's name is unknown, it does not take pictures of every size, or the decoder's channels
            do not fit the depth.
    """
    if options.architecture == "custom":
        body = CustomUNet(
            options.custom_channels,
            downsampling=options.downsampling,
            upsampling=options.upsampling,
            dropout=options.dropout,
        )
        network = RestoringUNet(body, residual=options.residual, tanh=True)
        head = body.head
    else:
        body = _smp(options)
        network = RestoringUNet(body, residual=options.residual, tanh=False)
        head = body.segmentation_head[0]
    if options.residual:
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
    return network


def _smp(options: UNetOptions) -> nn.Module:
    """The network of segmentation-models-pytorch."""
    if len(options.decoder_channels) != options.depth:
        raise OptionError(
            f"unet.decoder_channels has {len(options.decoder_channels)} entries, "
            f"and unet.depth={options.depth} needs {options.depth}: give both with --set"
        )
    # Swin Transformers take one size of picture only, unless told otherwise.
    more = {"strict_img_size": False} if options.encoder.startswith("tu-swin") else {}
    try:
        body: nn.Module = smp.Unet(
            options.encoder,
            encoder_depth=options.depth,
            encoder_weights=None,
            decoder_channels=options.decoder_channels,
            in_channels=3,
            classes=3,
            **more,
        )
    except Exception as error:  # smp and timm raise whatever an encoder meets: KeyError, TypeError, AssertionError
        known = options.encoder in encoders or options.encoder.startswith("tu-")
        reason = f" ({_words(error)})" if known else did_you_mean(options.encoder, encoders)
        raise OptionError(
            f"unet.encoder={options.encoder}: segmentation-models-pytorch does not build it"
            f" with unet.depth={options.depth}.{reason}"
        ) from error
    if options.encoder.startswith("tu-"):
        _check_sizes(body, options.encoder)
    return body


def _check_sizes(body: nn.Module, encoder: str) -> None:
    """Let ``body`` see a small picture: an encoder that takes few sizes says so here, and not where it restores.

    Encoders of smp's own take all sizes, and need not be asked.

    Raises:
        OptionError: the encoder does not take the picture.
    """
    body.eval()
    picture = torch.zeros(1, 3, *TRIED, device=next(body.parameters()).device)
    try:
        with torch.no_grad():
            body(picture)
    except Exception as error:
        raise OptionError(
            f"unet.encoder={encoder}: it does not take pictures of every size, and fails at {TRIED[0]} x {TRIED[1]} "
            f"pixels ({_words(error)}). Name an encoder that does, such as resnet34."
        ) from error
    body.train()


def _words(error: Exception) -> str:
    said = " ".join(str(error).split())[:200].rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def in_words(options: UNetOptions) -> str:
    """The network as reports name it, such as ``custom, 64-128-256-512, max-pool, transposed``."""
    if options.architecture == "smp":
        return f"{options.encoder}, depth {options.depth}"
    channels = "-".join(map(str, options.custom_channels))
    down = "max-pool" if options.downsampling == "maxpool" else "strided convolution"
    up = "transposed" if options.upsampling == "transposed" else "upsample + convolution"
    return f"custom, {channels}, {down}, {up}"
