"""The perceptual loss on VGG16, whose weights the package carries, so that nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import vgg16

from drivederain.carried_tensors import carried_tensors
from drivederain.training.losses.names import check_crop

VGG_FILE = Path(__file__).parent.parent / "weights" / "vgg16-features-relu3_3.safetensors"
VGG_SHA256 = "ee3e78146e9a202edcb9924f5e6915b988265082a798ae04e2bd2426731cb38b"
RELU3_3 = 16
"""Layers of torchvision's ``vgg16().features`` up to and including relu3_3."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class PerceptualLoss(nn.Module):
    """``mean |f(output) - f(truth)|`` with f the relu3_3 features of VGG16 (Johnson et al., "Perceptual losses for
    real-time style transfer and super-resolution", ECCV 2016, who square the difference).

    Pictures in [0, 1] are normalised here by the mean and deviation of ImageNet, which the network was trained on.
    Values beyond [0, 1] are not clamped: the features are defined for them, and the gradient pulls them back.

    Raises:
        WeightsError: the carried file is missing or damaged.
    """

    def __init__(self, file: Path = VGG_FILE) -> None:
        super().__init__()
        tensors = carried_tensors(file, VGG_SHA256)
        # Built on the meta device: the classifier's 120 million parameters are never allocated.
        with torch.device("meta"):
            features = vgg16(weights=None).features[:RELU3_3]
        features = features.to_empty(device="cpu")
        features.load_state_dict({key.removeprefix("features."): value.float() for key, value in tensors.items()})
        self.features = features.eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss. Raises :class:`~drivederain.errors.OptionError` below 4 x 4 pixels."""
        check_crop("vgg", min(output.shape[-2:]))
        with torch.no_grad():
            wanted = self.features((truth - self.mean) / self.std)
        loss: Tensor = (self.features((output - self.mean) / self.std) - wanted).abs().mean()
        return loss
