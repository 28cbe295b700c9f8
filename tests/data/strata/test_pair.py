from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from drivederain.data.strata import Stratum, pair_intensity
from drivederain.data.strata.pair_features import PAIR_FEATURE_NAMES, kept_detail, pair_features
from drivederain.data.strata.working_picture import to_working_size
from drivederain.errors import DataError
from drivederain.rain import INTENSITIES, RainSettings, draw_rain

Picture = NDArray[np.uint8]


def test_agrees_with_the_rain_that_was_drawn(scenes: list[Picture]) -> None:
    known, said = [], []
    for index, clear in enumerate(scenes):
        for level, intensity in enumerate(INTENSITIES):
            rainy = draw_rain(clear, seed=3, key=str(index), intensity=intensity).rainy
            known.append(level)
            said.append(INTENSITIES.index(pair_intensity(rainy, clear).intensity))
    apart = np.abs(np.subtract(known, said))
    assert apart.max() <= 1
    assert (apart == 0).mean() >= 0.75


def test_heavier_rain_covers_more(scenes: list[Picture]) -> None:
    for index, clear in enumerate(scenes[::2]):
        coverages = []
        for rate in (0.3, 2.0, 10.0, 50.0):
            drawn = draw_rain(
                clear, seed=1, key=str(index), intensity="medium", settings=RainSettings(rain_rate_mm_h=rate)
            )
            coverages.append(pair_intensity(drawn.rainy, clear).evidence["coverage"])
        assert coverages == sorted(coverages)
        assert coverages[-1] > 2 * coverages[0]


def test_the_same_picture_twice_is_light_and_uncovered(scenes: list[Picture]) -> None:
    for clear in scenes:
        stratum = pair_intensity(clear, clear)
        assert (stratum.intensity, stratum.borderline, stratum.source) == ("light", False, "pair")
        assert stratum.evidence["coverage"] < 0.01
        assert stratum.evidence["input_psnr"] == 60


def test_a_mask_decides_against_the_difference(scenes: list[Picture]) -> None:
    clear = scenes[0]
    rainy = draw_rain(clear, seed=0, key="mask", intensity="heavy").rainy
    assert pair_intensity(rainy, clear).intensity == "heavy"
    mask = np.zeros(clear.shape[:2], np.uint8)
    assert pair_intensity(rainy, clear, mask).intensity == "light"
    mask[:, : clear.shape[1] // 2] = 255
    heavy = pair_intensity(clear, clear, mask)
    assert (heavy.intensity, heavy.source) == ("heavy", "pair")
    assert heavy.evidence["mask_coverage"] == heavy.evidence["coverage"] == 0.5


def test_the_generators_own_masks_give_the_drawn_strata(scenes: list[Picture]) -> None:
    apart = []
    for index, clear in enumerate(scenes):
        for level, intensity in enumerate(INTENSITIES):
            drawn = draw_rain(clear, seed=5, key=str(index), intensity=intensity)
            mask = np.round(drawn.soft * 255).astype(np.uint8)
            apart.append(abs(INTENSITIES.index(pair_intensity(drawn.rainy, clear, mask).intensity) - level))
    assert max(apart) <= 1
    assert apart.count(0) >= 0.9 * len(apart)


@pytest.mark.parametrize(("level", "covered"), [(63, 0.0), (64, 1.0)])
def test_a_mask_pixel_counts_above_a_quarter(level: int, covered: float) -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    mask = np.full((20, 30), level, np.uint8)
    assert pair_intensity(picture, picture, mask).evidence["coverage"] == covered


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (20, 300), (300, 20), (1080, 1920)])
def test_any_size(size: tuple[int, int]) -> None:
    clear = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    stratum = pair_intensity(255 - clear, clear)
    assert isinstance(stratum, Stratum)
    assert all(np.isfinite(value) for value in stratum.evidence.values())


def test_lost_detail_is_measured_whatever_the_contrast(scenes: list[Picture]) -> None:
    clear = to_working_size(scenes[0])
    for contrast in (0.5, 1.0):
        scene = np.asarray(clear * np.float32(contrast), np.float32)
        assert np.median(kept_detail(np.asarray(0.4 * scene + 0.3, np.float32), scene)) == pytest.approx(0.4, abs=1e-3)
    assert kept_detail(np.zeros_like(clear), np.zeros_like(clear)).tolist() == [1.0]
    assert len(pair_features(clear, clear)) == len(PAIR_FEATURE_NAMES)


def test_pictures_that_do_not_belong_together() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(DataError, match=r"one size.*\(20, 30\).*\(21, 30\)"):
        pair_intensity(picture, np.zeros((21, 30, 3), np.uint8))
    with pytest.raises(DataError, match="8-bit RGB"):
        pair_intensity(picture, np.zeros((20, 30), np.uint8))
    with pytest.raises(DataError, match="drop mask"):
        pair_intensity(picture, picture, np.zeros((20, 30, 3), np.uint8))
