"""The training loss: its terms, its weights, the carried VGG16."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torchvision.models import vgg16

from drivederain.errors import WeightsError
from drivederain.training.losses import VGG_FILE, VGG_SHA256, PerceptualLoss, RestorationLoss


@pytest.fixture(scope="module")
def perceptual() -> PerceptualLoss:
    return PerceptualLoss()


@pytest.fixture
def pictures() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    truth = torch.rand(2, 3, 40, 48, generator=generator)
    return (truth * 0.8 + 0.1 * torch.rand(truth.shape, generator=generator)), truth


def test_the_carried_vgg16_is_the_recorded_one() -> None:
    assert hashlib.sha256(VGG_FILE.read_bytes()).hexdigest() == VGG_SHA256
    assert VGG_SHA256 in VGG_FILE.with_suffix(".md").read_text(encoding="utf-8")


def test_perceptual_loss_is_that_of_torchvision_with_the_carried_weights(
    perceptual: PerceptualLoss, pictures: tuple[Tensor, Tensor]
) -> None:
    with torch.device("meta"):
        network = vgg16(weights=None)
    state = {key: value.float() for key, value in load_file(VGG_FILE).items()}
    network.load_state_dict(state, strict=False, assign=True)
    relu3_3 = network.features[:16].eval()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    features = [relu3_3((picture - mean[:, None, None]) / std[:, None, None]) for picture in pictures]
    assert features[0].shape[1:] == (256, 10, 12)
    expected = (features[0] - features[1]).abs().mean()
    assert float(perceptual(*pictures)) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert float(perceptual(pictures[1], pictures[1])) == 0


def test_perceptual_gradients_reach_the_output_and_not_the_network(
    perceptual: PerceptualLoss, pictures: tuple[Tensor, Tensor]
) -> None:
    output = pictures[0].clone().requires_grad_()
    perceptual(output, pictures[1]).backward()
    assert output.grad is not None and float(output.grad.abs().sum()) > 0
    assert not any(parameter.requires_grad for parameter in perceptual.parameters())


@pytest.mark.parametrize("content", [None, b"", b"not a safetensors file"])
def test_a_damaged_vgg16_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "vgg16.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"vgg16\.safetensors.*install drivederain again"):
        PerceptualLoss(file)


def test_terms_are_weighted_and_summed(pictures: tuple[Tensor, Tensor]) -> None:
    terms = RestorationLoss(l1=2.0, ssim=0.5, vgg=0.1)(*pictures)
    assert set(terms) == {"l1", "ssim", "vgg", "loss"}
    assert float(terms["l1"]) == pytest.approx(2 * float((pictures[0] - pictures[1]).abs().mean()), rel=1e-6)
    assert float(terms["loss"]) == pytest.approx(sum(float(terms[name]) for name in ("l1", "ssim", "vgg")), rel=1e-6)
    same = RestorationLoss(l1=1, ssim=1)(pictures[1], pictures[1])
    assert float(same["loss"]) == pytest.approx(0, abs=1e-6)


def test_ssim_term_agrees_with_scikit_image(pictures: tuple[Tensor, Tensor]) -> None:
    from skimage.metrics import structural_similarity

    output, truth = (picture[0].permute(1, 2, 0).numpy() for picture in pictures)
    _, similarity = structural_similarity(
        output,
        truth,
        channel_axis=2,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    expected = similarity[5:-5, 5:-5].mean()  # the loss takes places where the window lies within the picture
    term = RestorationLoss(l1=0, ssim=1.0)(pictures[0][:1], pictures[1][:1])["ssim"]
    assert float(term) == pytest.approx(1 - expected, abs=1e-4)


def test_a_term_of_weight_zero_is_not_computed(pictures: tuple[Tensor, Tensor]) -> None:
    loss = RestorationLoss(l1=1.0, ssim=0.0, vgg=0.0)
    assert loss.perceptual is None
    assert set(loss(*pictures)) == {"l1", "loss"}
    assert set(RestorationLoss(l1=0.0, ssim=1.0)(*pictures)) == {"ssim", "loss"}


def test_nonsense_weights_are_refused() -> None:
    for weights in ((0, 0, 0), (-1, 1, 0), (1, -0.1, 0)):
        with pytest.raises(ValueError, match="weights of a loss"):
            RestorationLoss(*weights)


def test_half_precision_outputs_are_scored_in_full(pictures: tuple[Tensor, Tensor]) -> None:
    flat = torch.full((1, 3, 32, 32), 0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = RestorationLoss()((flat + 1e-3).bfloat16(), flat)
    assert all(value.dtype == torch.float32 and torch.isfinite(value) for value in terms.values())
