"""Squared error and luma."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from drivederain.metrics.fidelity import MSE, PSNR
from drivederain.metrics.luma import float_luma, rounded_luma


def pictures(height: int, width: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    output, truth = torch.randint(0, 256, (2, 1, 3, height, width), dtype=torch.uint8, generator=generator)
    return output, truth


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(1, 33), width=st.integers(1, 33), seed=st.integers(0, 99), variant=st.sampled_from(MSE.variants)
)
def test_regions_partition_the_image(height: int, width: int, seed: int, variant: str) -> None:
    output, truth = pictures(height, width, seed)
    mask = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(seed)) * 0.2
    scores = {region: value.item() for region, value in MSE(variant).score(output, truth, mask).items()}
    share = (mask > 0.1).double().mean().item()
    parts = [(scores["drops"], share), (scores["background"], 1 - share)]
    assert sum(value * part for value, part in parts if part > 0) == pytest.approx(scores["image"], rel=1e-12)
    assert [math.isnan(value) for value, _ in parts] == [part == 0 for _, part in parts]


@settings(deadline=None, max_examples=40)
@given(height=st.integers(1, 33), width=st.integers(1, 33), seed=st.integers(0, 99))
def test_rgb_is_the_plain_formula(height: int, width: int, seed: int) -> None:
    output, truth = pictures(height, width, seed)
    mse = ((output.numpy().astype(float) - truth.numpy().astype(float)) ** 2).mean()
    assert MSE("rgb").score(output, truth, None)["image"].item() == pytest.approx(mse, rel=1e-12)
    psnr = 10 * math.log10(255**2 / mse)
    assert PSNR("rgb").score(output, truth, None)["image"].item() == pytest.approx(psnr, rel=1e-12)


def test_limited_range_alone_is_worth_1_322_db() -> None:
    output, truth = pictures(40, 50, 3)
    full = [picture[0].double().permute(1, 2, 0).numpy() @ [0.299, 0.587, 0.114] for picture in (output, truth)]
    full_range = 10 * math.log10(255**2 / np.mean((full[0] - full[1]) ** 2))
    limited = PSNR("prenet").score(output, truth, None)["image"].item()
    assert limited - full_range == pytest.approx(20 * math.log10(255 / 219), abs=1e-9)
    assert limited - full_range == pytest.approx(1.322, abs=5e-4)


def test_luma_of_every_corner_and_of_noise() -> None:
    corners = torch.tensor([0, 255], dtype=torch.uint8)
    picture = torch.cat([torch.cartesian_prod(corners, corners, corners), pictures(60, 60, 1)[0][0].flatten(1).T]).T
    picture = picture.reshape(3, 1, -1)
    expected = 16 + picture.double().permute(1, 2, 0).numpy() @ np.array([65.481, 128.553, 24.966]) / 255
    assert float_luma(picture).numpy() == pytest.approx(expected, abs=2e-5)
    assert rounded_luma(picture).numpy().tolist() == np.floor(expected + 0.5).astype(int).tolist()
    assert rounded_luma(picture).flatten()[[0, 7]].tolist() == [16, 235]


def test_rounded_and_float_luma_are_different_variants() -> None:
    output, truth = pictures(40, 50, 3)
    values = {variant: PSNR(variant).score(output, truth, None)["image"].item() for variant in PSNR.variants}
    assert len(set(values.values())) == 3


def test_white_against_black_in_a_large_picture() -> None:
    white = torch.full((1, 3, 1080, 1920), 255, dtype=torch.uint8)
    black = torch.zeros_like(white)
    assert MSE("rgb").score(white, black, None)["image"].item() == 255**2
    assert MSE("mprnet").score(white, black, None)["image"].item() == 219**2
    assert MSE("prenet").score(white, black, None)["image"].item() == pytest.approx(219**2, rel=1e-15)
