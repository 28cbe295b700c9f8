"""Median, guided filter and inpainting: what they do to pictures whose answer is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.batches import batches_of
from drivederain.engine.device import DeviceRunner
from drivederain.errors import MethodError
from drivederain_methods.baselines.drop_map import drops_in, features, likelihood
from drivederain_methods.baselines.filters import Guided, Median
from drivederain_methods.baselines.inpaint import Inpaint
from drivederain_methods.baselines.options import GuidedOptions, InpaintOptions, MedianOptions

Pixels = NDArray[np.uint8]
MakeRunner = Callable[..., DeviceRunner]


def flat_with_spots(height: int = 48, width: int = 64) -> tuple[Pixels, NDArray[np.bool_]]:
    """A slope of grey with bright discs on it, and where they are."""
    slope = np.linspace(60, 160, width)[None, :, None] * np.ones((height, 1, 3))
    mask = np.zeros((height, width), np.uint8)
    for centre in ((12, 12), (40, 20), (26, 38)):
        cv2.circle(mask, centre, 4, 255, -1)
    rainy = np.where(mask[..., None] > 0, 240, slope).astype(np.uint8)
    return rainy, mask > 0


@pytest.mark.parametrize("size", [3, 5])
def test_the_median_is_opencv_s(make_runner: MakeRunner, make_picture: Callable[..., Pixels], size: int) -> None:
    rainy = make_picture(0, 23, 31)
    runner = make_runner("median", Median(MedianOptions(size=size)))  # type: ignore[arg-type]
    assert np.array_equal(runner.restore(["a"], [rainy], None)[0].pixels, cv2.medianBlur(rainy, size))


def test_the_guided_filter_smooths_noise_and_keeps_edges(make_runner: MakeRunner) -> None:
    rng = np.random.default_rng(0)
    edge = np.where(np.arange(64) < 32, 60.0, 190.0)[None, :, None] * np.ones((48, 1, 3))
    noisy = (edge + rng.normal(0, 4, edge.shape)).clip(0, 255).astype(np.uint8)
    runner = make_runner("guided", Guided(GuidedOptions()))
    smooth = runner.restore(["a"], [noisy], None)[0].pixels.astype(float)
    inside = np.abs(np.arange(64) - 31.5) > 6
    assert (smooth - edge)[:, inside].std() < 0.5 * (noisy - edge)[:, inside].std()
    assert abs(smooth[:, 32].mean() - smooth[:, 31].mean()) > 110


def test_drops_of_the_mask_are_filled_from_around_them(make_runner: MakeRunner) -> None:
    rainy, drops = flat_with_spots()
    runner = make_runner("inpaint", Inpaint(InpaintOptions(drops="mask")))
    mask = drops.astype(np.uint8) * 255
    batch = runner.stage([rainy], None, [mask])
    filled = runner.start(["a"], batch, timed=False).result()[0].pixels.astype(int)
    assert np.array_equal(filled[~drops], rainy[~drops])
    slope = np.linspace(60, 160, rainy.shape[1])[None, :, None] * np.ones((len(rainy), 1, 3))
    assert np.abs(filled - slope)[drops].max() < 25 and filled[drops].max() < 190
    with pytest.raises(MethodError, match=r"inpaint\.drops=mask, and there is no drop mask.*use drops=estimated"):
        runner.restore(["a"], [rainy], None)


def test_estimated_drops_cover_what_the_estimator_says(make_picture: Callable[..., Pixels]) -> None:
    from drivederain.data.strata.photo import photo_intensity

    rainy = make_picture(3, 96, 128)
    coverage = photo_intensity(rainy).evidence["coverage"]
    assert abs(drops_in(rainy).mean() - coverage) < 0.02
    assert features(rainy).shape == (288, 384, 12)
    assert likelihood(rainy).shape == (96, 128) and np.isfinite(likelihood(rainy)).all()


@pytest.mark.shared
def test_drops_of_drawn_rain_are_found_better_than_by_chance(shared: Path) -> None:
    from drivederain import open_data

    photos = shared / "data" / "clear_road"
    if not photos.is_dir():
        pytest.skip(f"no photographs at {photos}")
    better = []
    for sample in open_data(f"synthetic:{photos}", size=240, limit=4):
        assert sample.mask is not None
        drops = sample.mask.load() > 25
        found = drops_in(sample.rainy.load())
        better.append((found & drops).sum() / max(found.sum(), 1) - drops.mean())
    assert np.mean(better) > 0.1


def test_outputs_count_only_with_the_masks_they_were_made_with() -> None:
    class Named:
        def __init__(self, fingerprint: str) -> None:
            self.fingerprint = fingerprint

    def sample_set(*pictures: tuple[str, str]) -> list[SampleSet]:
        given: dict[str, Any] = {"dataset": "d", "split": "all", "intensity": "light", "intensity_source": "pair"}
        samples = tuple(
            Sample(
                image=rainy, scene=rainy, rainy=Named(rainy), clear=None, mask=Named(mask) if mask else None, **given
            )  # type: ignore[arg-type]
            for rainy, mask in pictures
        )
        return [SampleSet("d", "all", samples, has_truth=True)]

    with_masks = sample_set(("a", "m"), ("b", ""))
    assert batches_of(with_masks, 1) == {"a": ("", ("a",)), "b": ("", ("b",))}
    named = batches_of(with_masks, 1, masks=True)
    assert named["b"] == ("", ("b",)) and named["a"][0] != ""
    assert batches_of(sample_set(("a", "n")), 1, masks=True)["a"][0] != named["a"][0]
    assert batches_of(with_masks, 2)["a"] == batches_of(with_masks, 2)["b"]
    assert batches_of(with_masks, 2)["a"][0] != batches_of(with_masks, 2, masks=True)["a"][0]
