"""Structural similarity against scikit-image, and thinning against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.metrics import structural_similarity

from drivederain.metrics import structural
from drivederain.metrics.structural import SSIM, ssim_map, thin, thinning_factor


def noise(channels: int, height: int, width: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (channels, height, width), generator=generator).float()


@settings(deadline=None, max_examples=25)
@given(height=st.integers(11, 40), width=st.integers(11, 40), seed=st.integers(0, 99), spread=st.sampled_from([2, 256]))
def test_map_is_that_of_scikit_image(height: int, width: int, seed: int, spread: int) -> None:
    # With a spread of 2 variances are tiny beside the means, where float32 loses most.
    x, y = (noise(2, height, width, seed + i) % spread + (250 if spread == 2 else 0) for i in (0, 100))
    expected = [
        structural_similarity(
            a.double().numpy(),
            b.double().numpy(),
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )[1][5:-5, 5:-5]
        for a, b in zip(x, y, strict=True)
    ]
    assert ssim_map(x, y).numpy() == pytest.approx(np.mean(expected, axis=0), abs=2e-5)


def test_bands_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = noise(3, 61, 30, 1), noise(3, 61, 30, 2)
    whole = ssim_map(x, y)
    for rows in (11, 12, 17, 60):
        monkeypatch.setattr(structural, "CPU_BAND", rows * 4 * 3 * 30)
        assert torch.equal(ssim_map(x, y), whole)


@settings(deadline=None, max_examples=40)
@given(height=st.integers(6, 40), width=st.integers(6, 40), factor=st.integers(1, 5), seed=st.integers(0, 99))
def test_thinning_is_the_box_filter_of_matlab(height: int, width: int, factor: int, seed: int) -> None:
    plane = noise(1, height, width, seed)
    # SciPy centres an even window at size // 2, MATLAB one place before.
    origin = -1 if factor % 2 == 0 else 0
    averaged = ndimage.uniform_filter(plane[0].double().numpy(), size=factor, mode="reflect", origin=origin)
    assert thin(plane, factor)[0].numpy() == pytest.approx(averaged[::factor, ::factor], abs=1e-4)


@pytest.mark.parametrize(
    ("height", "width", "factor"),
    [(11, 11, 1), (383, 999, 1), (384, 999, 2), (999, 639, 2), (640, 999, 3), (1080, 1920, 4)],
)
def test_thinning_factor_rounds_halves_up(height: int, width: int, factor: int) -> None:
    assert thinning_factor(height, width) == factor


def test_thinning_moves_the_score_of_large_pictures_only() -> None:
    for side, same in ((120, True), (400, False)):
        output, truth = (noise(3, side, side, seed).to(torch.uint8)[None] for seed in (1, 2))
        rounded, fraction = (SSIM(name).score(output, truth, None)["image"].item() for name in ("mprnet", "prenet"))
        assert (abs(rounded - fraction) < 1e-3) is same


def test_the_mask_loses_its_border() -> None:
    output, truth = (noise(3, 30, 30, seed).to(torch.uint8)[None] for seed in (1, 2))
    mask = torch.ones(1, 1, 30, 30)
    mask[:, :, 5:-5, 5:-5] = 0
    scores = SSIM("rgb").score(output, truth, mask)
    assert scores["drops"].isnan().all()
    assert scores["background"].item() == scores["image"].item()
