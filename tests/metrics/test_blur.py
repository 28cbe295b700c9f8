from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from drivederain.errors import MetricError
from drivederain.metrics.blur import Blur


def tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    noise = np.random.Generator(np.random.PCG64(3)).normal(0, 1, (64, 96, 3))
    return np.clip(128 + 60 * ndimage.gaussian_filter(noise, (1, 1, 0)), 0, 255).astype(np.uint8)


def blurred(photo: np.ndarray, sigma: float) -> np.ndarray:
    return np.rint(ndimage.gaussian_filter(photo.astype(float), (sigma, sigma, 0))).astype(np.uint8)


def test_it_is_what_scipy_s_laplacian_gives(photo: np.ndarray) -> None:
    def detail(picture: np.ndarray) -> float:
        luma = picture.astype(float) @ [0.299, 0.587, 0.114]
        return float(np.sqrt((ndimage.laplace(luma)[1:-1, 1:-1] ** 2).mean()))

    output = blurred(photo, 0.8)
    expected = 100 * (1 - detail(output) / detail(photo))
    assert float(Blur("laplacian").score(tensor(output), tensor(photo), None)["image"]) == pytest.approx(
        expected, abs=1e-3
    )


def test_more_blur_is_more_and_none_is_none(photo: np.ndarray) -> None:
    def score(output: np.ndarray) -> float:
        return float(Blur("laplacian").score(tensor(output), tensor(photo), None)["image"])

    assert score(photo) == 0
    assert 0 < score(blurred(photo, 0.6)) < score(blurred(photo, 1.2)) < 100
    noisy = np.clip(photo + np.random.Generator(np.random.PCG64(1)).normal(0, 9, photo.shape), 0, 255).astype(np.uint8)
    assert score(noisy) == 0


def test_the_edge_of_a_drop_belongs_to_neither_region(photo: np.ndarray) -> None:
    mask = torch.zeros(1, 1, 64, 96)
    mask[..., 20:40, 30:60] = 1
    output = photo.copy()
    output[20:40, 30:60] = 255  # flat within, with a sharp edge
    found = Blur("laplacian").score(tensor(output), tensor(photo), mask)
    assert float(found["background"]) == pytest.approx(0, abs=1e-4)
    assert float(found["drops"]) == pytest.approx(100)
    nothing = Blur("laplacian").score(tensor(photo), tensor(photo), torch.zeros(1, 1, 64, 96))
    assert math.isnan(float(nothing["drops"]))
    assert float(nothing["background"]) == 0


def test_a_flat_truth_has_no_detail_to_lose(photo: np.ndarray) -> None:
    flat = np.full_like(photo, 90)
    assert float(Blur("laplacian").score(tensor(flat), tensor(flat), None)["image"]) == 0
    assert float(Blur("laplacian").score(tensor(photo), tensor(flat), None)["image"]) == 0


def test_too_small_pictures_are_refused(photo: np.ndarray) -> None:
    small = tensor(photo[:2])
    with pytest.raises(MetricError, match="3x3"):
        Blur("laplacian").score(small, small, None)
