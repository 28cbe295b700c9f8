"""Scenes are varied before rain is drawn over them, as probable as asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from drivederain.data.drawn_rain import RainDrawing, RainPicture
from drivederain.data.sample import Sample
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.scene_variation import VARIATIONS, idle_variations, varied


def scene() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)


def drawn(number: int, **options: float) -> np.ndarray:
    return varied(scene(), Hyperparameters(**options), np.random.default_rng(number))  # type: ignore[arg-type]


def test_nothing_is_varied_unless_asked_for() -> None:
    assert all(np.array_equal(drawn(number), scene()) for number in range(20))


def test_a_scene_is_turned_upside_down() -> None:
    turned = [np.array_equal(drawn(number, vertical_flip=0.3), scene()[::-1]) for number in range(400)]
    assert 0.23 < np.mean(turned) < 0.37
    assert all(np.array_equal(drawn(number, vertical_flip=1.0), scene()[::-1]) for number in range(20))


def test_channels_come_in_every_other_order() -> None:
    orders: Counter[tuple[int, ...]] = Counter()
    for number in range(400):
        made = drawn(number, channel_shuffle=0.5)
        orders[tuple(next(n for n in range(3) if np.array_equal(made[..., c], scene()[..., n])) for c in range(3))] += 1
    assert len(orders) == 6 and 170 < orders[0, 1, 2] < 230
    assert min(orders.values()) > 20, "the other five are alike"


def test_levels_are_bent_both_ways_and_ends_stay() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    middles = []
    for number in range(200):
        bent = varied(ramp, Hyperparameters(gamma=1.0), np.random.default_rng(number))
        assert (bent[0, 0, 0], bent[0, 255, 0]) == (0, 255) and (np.diff(bent[0, :, 0].astype(int)) >= 0).all()
        middles.append(int(bent[0, 128, 0]))
    # Half of full scale to the powers 1/2 and 2.
    assert 63 <= min(middles) < 75 and 165 < max(middles) <= 181


def test_contrast_is_raised_around_the_mean_and_nothing_is_cut() -> None:
    soft = np.repeat(np.arange(110, 151, dtype=np.uint8)[None, :, None], 3, axis=2)
    widths = []
    for number in range(200):
        made = varied(soft, Hyperparameters(contrast=1.0), np.random.default_rng(number)).astype(int)
        assert made[0, 20, 0] == 130, "the mean stays"
        widths.append(int(made.max() - made.min()))
    assert 40 <= min(widths) < 43 and 70 < max(widths) <= 80, "up to twice as wide, a little less at the ends"
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    hard = varied(ramp, Hyperparameters(contrast=1.0), np.random.default_rng(0))[0, :, 0].astype(int)
    assert (hard[0], hard[-1]) == (0, 255) and (np.diff(hard) >= 0).all()
    assert hard[64] < 64 and hard[192] > 192
    for flat in (0, 255):
        even = np.full((4, 4, 3), flat, np.uint8)
        assert np.array_equal(varied(even, Hyperparameters(contrast=1.0), np.random.default_rng(0)), even)


def test_the_result_can_be_drawn_on() -> None:
    made = drawn(1, vertical_flip=1.0, channel_shuffle=1.0, gamma=0.5, contrast=0.5)
    assert made.flags["C_CONTIGUOUS"] and made.dtype == np.uint8 and made.shape == scene().shape


def test_what_varies_nothing_is_named(make_samples: Callable[..., list[Sample]], tmp_path: Path) -> None:
    (stored,) = make_samples(1)
    assert stored.clear is not None
    drawn_rain = replace(stored, rainy=RainPicture(RainDrawing(stored.clear, 0, "photo", "heavy", tmp_path)))
    asked = Hyperparameters(contrast=0.5, gamma=0.2)
    assert idle_variations(asked, [stored]) == ["gamma", "contrast"]
    assert idle_variations(asked, [stored, drawn_rain]) == []
    assert idle_variations(asked.changed({"fresh_rain": False}, ""), [drawn_rain]) == ["gamma", "contrast"]
    assert idle_variations(Hyperparameters(), [stored]) == []
    assert idle_variations(Hyperparameters(**dict.fromkeys(VARIATIONS, 0.5)), []) == list(VARIATIONS)
