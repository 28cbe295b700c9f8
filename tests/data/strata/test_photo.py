from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from drivederain.data.strata import Stratum, photo_intensity
from drivederain.data.strata.photo_features import FEATURE_NAMES, photo_features
from drivederain.data.strata.working_picture import to_working_size
from drivederain.errors import DataError
from drivederain.rain import INTENSITIES, RainSettings, draw_rain

Picture = NDArray[np.uint8]


def test_agrees_with_the_rain_that_was_drawn(scenes: list[Picture]) -> None:
    known, said, covered, estimated = [], [], [], []
    for index, clear in enumerate(scenes):
        for level, intensity in enumerate(INTENSITIES):
            drawn = draw_rain(clear, seed=3, key=str(index), intensity=intensity)
            stratum = photo_intensity(drawn.rainy)
            known.append(level)
            said.append(INTENSITIES.index(stratum.intensity))
            covered.append(drawn.parameters.coverage_soft_025)
            estimated.append(stratum.evidence["coverage"])
    apart = np.abs(np.subtract(known, said))
    assert (apart <= 1).mean() >= 0.9
    assert (apart == 0).mean() >= 0.6
    assert spearmanr(covered, estimated).statistic >= 0.8


def test_heavier_rain_is_estimated_heavier_on_each_scene(scenes: list[Picture]) -> None:
    for index, clear in enumerate(scenes[::2]):
        coverages = []
        for rate in (0.5, 6.0, 50.0):
            drawn = draw_rain(
                clear, seed=1, key=str(index), intensity="medium", settings=RainSettings(rain_rate_mm_h=rate)
            )
            coverages.append(photo_intensity(drawn.rainy).evidence["coverage"])
        assert coverages == sorted(coverages)


def test_clear_scenes_are_light(scenes: list[Picture]) -> None:
    strata = [photo_intensity(clear) for clear in scenes]
    # One of the eight, a soft grey day in the city, is taken for medium: the estimator's known weakness.
    assert [stratum.intensity for stratum in strata].count("light") >= 7
    assert "heavy" not in {stratum.intensity for stratum in strata}
    assert np.median([stratum.evidence["coverage"] for stratum in strata]) < 0.03


def test_it_is_said_to_be_an_estimate(scenes: list[Picture]) -> None:
    stratum = photo_intensity(scenes[0])
    assert stratum.source == "estimated"
    assert set(stratum.evidence) == {"coverage", "distance_to_cut"}


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (20, 300), (300, 20), (1080, 1920)])
def test_any_size(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert isinstance(photo_intensity(picture), Stratum)


@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_picture_of_one_colour_has_finite_features(level: int) -> None:
    features = photo_features(to_working_size(np.full((90, 120, 3), level, np.uint8)))
    assert features.shape == (len(FEATURE_NAMES),)
    assert np.isfinite(features).all()


def test_grey_pictures(scenes: list[Picture]) -> None:
    light, heavy = (draw_rain(scenes[0], seed=2, key="grey", intensity=i).rainy for i in ("light", "heavy"))
    estimates = []
    for picture in (light, heavy):
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        estimates.append(photo_intensity(np.repeat(grey[..., None], 3, axis=2)).evidence["coverage"])
    assert estimates[0] < estimates[1]


def test_the_size_of_the_picture_hardly_matters(scenes: list[Picture]) -> None:
    rainy = draw_rain(scenes[1], seed=2, key="size", intensity="heavy").rainy
    double = np.asarray(cv2.resize(rainy, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST), np.uint8)
    once, twice = (photo_intensity(picture).evidence["coverage"] for picture in (rainy, double))
    assert once == pytest.approx(twice, abs=0.02)


def test_the_same_answer_again_and_the_picture_untouched(scenes: list[Picture]) -> None:
    rainy = draw_rain(scenes[0], seed=2, key="again", intensity="medium").rainy
    before = rainy.copy()
    assert photo_intensity(rainy) == photo_intensity(rainy[::-1][::-1])
    assert np.array_equal(rainy, before)


@pytest.mark.parametrize("picture", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3))])
def test_other_than_8_bit_rgb(picture: Picture) -> None:
    with pytest.raises(DataError, match="8-bit RGB"):
        photo_intensity(picture)
