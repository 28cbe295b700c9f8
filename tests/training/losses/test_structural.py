"""SSIM and MS-SSIM as losses, against scikit-image and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity
from torch import Tensor

from drivederain.errors import OptionError
from drivederain.training.losses.structural import MSSSIMLoss, SSIMLoss

Pictures = tuple[Tensor, Tensor]
Array = NDArray[np.float64]


def similarity(output: Tensor, truth: Tensor, data_range: float) -> float:
    """scikit-image's SSIM of two 3 x H x W pictures, mean of the places whose window lies within the picture."""
    _, places = structural_similarity(
        output.double().numpy(),
        truth.double().numpy(),
        channel_axis=0,
        data_range=data_range,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return float(places[:, 5:-5, 5:-5].mean())


def multi_scale(x: Array, y: Array) -> float:
    """Wang et al., 2003, of two H x W planes whose sides 16 divides."""

    def mean(plane: Array) -> Array:
        return gaussian_filter(plane, 1.5, radius=5)[5:-5, 5:-5]

    product = 1.0
    for scale, power in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mu_x, mu_y = mean(x), mean(y)
        var_x, var_y, cov = mean(x * x) - mu_x**2, mean(y * y) - mu_y**2, mean(x * y) - mu_x * mu_y
        places = (2 * cov + 0.03**2) / (var_x + var_y + 0.03**2)
        if scale == 4:
            places = places * (2 * mu_x * mu_y + 0.01**2) / (mu_x**2 + mu_y**2 + 0.01**2)
        product *= places.mean() ** power
        if scale < 4:
            x, y = (plane.reshape(plane.shape[0] // 2, 2, -1, 2).mean((1, 3)) for plane in (x, y))
    return product


def test_ssim_agrees_with_scikit_image(pictures: Pictures) -> None:
    expected = np.mean([similarity(output, truth, 1.0) for output, truth in zip(*pictures, strict=True)])
    assert float(SSIMLoss()(*pictures)) == pytest.approx(1 - expected, abs=1e-5)


def test_ms_ssim_is_its_formula(large_pictures: Pictures) -> None:
    output, truth = (picture.double().flatten(0, 1).numpy() for picture in large_pictures)
    expected = np.mean([multi_scale(x, y) for x, y in zip(output, truth, strict=True)])
    assert float(MSSSIMLoss()(*large_pictures)) == pytest.approx(1 - expected, abs=1e-5)


def test_pictures_of_a_tanh_are_scored_wrongly(pictures: Pictures) -> None:
    """With data range 1, [-1, 1] is another scale, and half of it is clamped off."""
    output, truth = pictures
    right, wrong = float(SSIMLoss()(output, truth)), float(SSIMLoss()(2 * output - 1, 2 * truth - 1))
    assert wrong > 5 * right
    # Clamping is not the only cause: without it, too, a range of 1 is not what the pictures span.
    shifted = [(2 * picture - 1)[0] for picture in pictures]
    assert abs(similarity(*shifted, data_range=1.0) - similarity(*shifted, data_range=2.0)) > 0.01


def test_what_is_beyond_the_range_is_clamped_and_has_no_gradient(pictures: Pictures) -> None:
    output, truth = (picture.clone() for picture in pictures)
    output[..., 20, 20] = 1.5
    at_the_limit = output.clamp(0, 1)
    assert float(SSIMLoss()(output, truth)) == float(SSIMLoss()(at_the_limit, truth))
    output.requires_grad_()
    SSIMLoss()(output, truth).backward()
    assert output.grad is not None
    assert not output.grad[..., 20, 20].any() and output.grad[..., 20, 21].all()


def test_negative_similarity_still_has_a_gradient(pictures: Pictures) -> None:
    """The loss is 1 - SSIM throughout, as PReNet's negative SSIM is; it does not end at SSIM 0."""
    truth = pictures[1]
    output = (1 - truth).requires_grad_()
    loss = SSIMLoss()(output, truth)
    loss.backward()
    assert float(loss.detach()) > 1.5 and output.grad is not None and float(output.grad.abs().max()) > 0


def test_ms_ssim_of_pictures_with_nothing_in_common_has_finite_gradients(large_pictures: Pictures) -> None:
    truth = large_pictures[1]
    output = (1 - truth).requires_grad_()
    loss = MSSSIMLoss()(output, truth)
    loss.backward()
    assert float(loss.detach()) == 1 and output.grad is not None and torch.isfinite(output.grad).all()


@pytest.mark.parametrize(("loss", "least"), [(SSIMLoss(), 11), (MSSSIMLoss(), 161)])
def test_crops_that_are_too_small_are_refused(loss: SSIMLoss | MSSSIMLoss, least: int) -> None:
    enough = torch.full((1, 3, least, least), 0.5)
    assert float(loss(enough, enough)) == pytest.approx(0, abs=1e-6)
    with pytest.raises(OptionError, match=f"at least {least} x {least} pixels"):
        loss(enough[..., 1:], enough[..., 1:])
