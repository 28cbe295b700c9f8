"""Losses of the difference, against NumPy and SciPy in double precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from torch import Tensor, nn

from drivederain.training.losses.pixel import CharbonnierLoss, EdgeLoss, FrequencyLoss, L1Loss, MSELoss

Array = NDArray[np.float64]


def laplacian(picture: Array) -> Array:
    """MPRNet's: smooth, keep every other pixel, fill with zeros, smooth at four times the height, take off."""

    def smooth(planes: Array) -> Array:
        for axis in (-2, -1):
            planes = correlate1d(planes, [0.05, 0.25, 0.4, 0.25, 0.05], axis=axis, mode="nearest")
        return planes

    sparse = np.zeros_like(picture)
    sparse[..., ::2, ::2] = smooth(picture)[..., ::2, ::2]
    return picture - smooth(sparse * 4)


def unnormalised_spectra(a: Array, b: Array) -> float:
    """MIMO-UNet's: L1 over the real and imaginary parts of both whole spectra."""
    difference = np.fft.fft2(a) - np.fft.fft2(b)
    return float(np.mean([np.abs(difference.real), np.abs(difference.imag)]))


@pytest.mark.parametrize("size", [(40, 48), (33, 27)])
@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        (L1Loss(), lambda a, b: np.abs(a - b).mean()),
        (MSELoss(), lambda a, b: ((a - b) ** 2).mean()),
        (CharbonnierLoss(), lambda a, b: np.sqrt((a - b) ** 2 + 1e-6).mean()),
        (EdgeLoss(), lambda a, b: np.sqrt((laplacian(a) - laplacian(b)) ** 2 + 1e-6).mean()),
        (FrequencyLoss(), lambda a, b: unnormalised_spectra(a, b) / np.sqrt(a.shape[-2] * a.shape[-1])),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, nn.Module) else "",
)
def test_is_its_formula(
    loss: nn.Module, formula: Callable[[Array, Array], float], size: tuple[int, int], pictures: tuple[Tensor, Tensor]
) -> None:
    output, truth = (picture[..., : size[0], : size[1]] for picture in pictures)
    expected = formula(output.double().numpy(), truth.double().numpy())
    assert float(loss(output, truth)) == pytest.approx(expected, rel=1e-5)


def test_a_constant_shift_has_no_edges(pictures: tuple[Tensor, Tensor]) -> None:
    _, truth = pictures
    far_from_the_border = (EdgeLoss()._laplacian(torch.full_like(truth, 0.3)))[..., 4:-4, 4:-4]
    assert float(far_from_the_border.abs().max()) < 1e-6
    assert float(EdgeLoss()(truth, truth)) == pytest.approx(1e-3, rel=1e-6)


def test_the_spectrum_is_scored_alike_whichever_way_the_picture_lies(pictures: tuple[Tensor, Tensor]) -> None:
    output, truth = pictures
    loss, turned = FrequencyLoss(), [picture.transpose(-1, -2) for picture in pictures]
    assert float(loss(*turned)) == pytest.approx(float(loss(output, truth)), rel=1e-6)


@pytest.mark.parametrize("loss", [L1Loss(), MSELoss(), CharbonnierLoss(), EdgeLoss(), FrequencyLoss()])
def test_scale_does_not_depend_on_the_crop(loss: nn.Module) -> None:
    noise = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 0.1
    whole = float(loss(noise, torch.zeros_like(noise)))
    part = float(loss(noise[..., :32, :32], torch.zeros(1, 3, 32, 32)))
    assert part == pytest.approx(whole, rel=0.05)
