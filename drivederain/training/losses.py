"""The training loss of the plan: L1 + SSIM + VGG16 perceptual, each term weighted and logged by name.

Pictures are float32 B x 3 x H x W, RGB, [0, 1].
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from pytorch_msssim import ssim
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn
from torchvision.models import vgg16

from drivederain.errors import WeightsError

VGG_FILE = Path(__file__).parent / "weights" / "vgg16-features-relu3_3.safetensors"
VGG_SHA256 = "ee3e78146e9a202edcb9924f5e6915b988265082a798ae04e2bd2426731cb38b"
RELU3_3 = 16
"""Layers of torchvision's ``vgg16().features`` up to and including relu3_3."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class PerceptualLoss(nn.Module):
    """Mean absolute difference of VGG16 relu3_3 features (Johnson et al., ECCV 2016) of ImageNet-normalised inputs.

    The weights are carried in the package (``training/weights``), so nothing is downloaded.

    Raises:
        WeightsError: the carried file is missing or damaged.
    """

    def __init__(self, file: Path = VGG_FILE) -> None:
        super().__init__()
        tensors = _read_features(file)
        # Built on the meta device: the classifier's 120 million parameters are never allocated.
        with torch.device("meta"):
            features = vgg16(weights=None).features[:RELU3_3]
        features = features.to_empty(device="cpu")
        features.load_state_dict({key.removeprefix("features."): value.float() for key, value in tensors.items()})
        self.features = features.eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def forward(self, output: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar loss."""
        with torch.no_grad():
            wanted = self.features((truth - self.mean) / self.std)
        loss: Tensor = (self.features((output - self.mean) / self.std) - wanted).abs().mean()
        return loss


def _read_features(file: Path) -> dict[str, Tensor]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {file}: {error.strerror}; install drivederain again") from error
    if hashlib.sha256(content).hexdigest() != VGG_SHA256:
        raise WeightsError(f"{file} is damaged: its SHA-256 is not {VGG_SHA256}; install drivederain again")
    tensors: dict[str, Tensor] = load_safetensors(content)
    return tensors


class RestorationLoss(nn.Module):
    """``l1 * L1 + ssim * (1 - SSIM) + vgg * perceptual``; a term of weight 0 is not computed.

    Raises:
        ValueError: a weight is negative, or all are 0.
    """

    def __init__(self, l1: float = 1.0, ssim: float = 0.2, vgg: float = 0.0) -> None:
        super().__init__()
        if min(l1, ssim, vgg) < 0 or not (l1 or ssim or vgg):
            raise ValueError(f"weights of a loss are not negative and not all 0: l1={l1}, ssim={ssim}, vgg={vgg}")
        self.weights = {"l1": l1, "ssim": ssim, "vgg": vgg}
        self.perceptual = PerceptualLoss() if vgg else None

    def forward(self, output: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Return the terms by name, weighted, and their sum as ``loss``. SSIM has data range 1."""
        # SSIM's variances are small differences of large numbers: in bf16 they become noise, even infinite.
        with torch.autocast(output.device.type, enabled=False):
            return self._terms(output.float(), truth.float())

    def _terms(self, output: Tensor, truth: Tensor) -> dict[str, Tensor]:
        terms = {}
        if self.weights["l1"]:
            terms["l1"] = self.weights["l1"] * (output - truth).abs().mean()
        if self.weights["ssim"]:
            similarity = ssim(output.clamp(0, 1), truth, data_range=1.0, size_average=True, nonnegative_ssim=True)
            terms["ssim"] = self.weights["ssim"] * (1 - similarity)
        if self.perceptual is not None:
            terms["vgg"] = self.weights["vgg"] * self.perceptual(output, truth)
        terms["loss"] = torch.stack(list(terms.values())).sum()
        return terms
