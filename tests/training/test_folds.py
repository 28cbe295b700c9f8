"""Folds: every scene in one, all of about one size, whatever the order of the samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from drivederain.data.sample import Sample
from drivederain.errors import DataError
from drivederain.training.folds import folds_of

MakeSamples = Callable[..., list[Sample]]


def test_scenes_are_dealt_out_evenly_and_stay_together(make_samples: MakeSamples) -> None:
    samples = [
        replace(sample, image=f"{sample.image}@{intensity}", intensity=intensity)
        for sample in make_samples(11)
        for intensity in ("light", "heavy")
    ]
    folds = folds_of(samples, 4)
    assert sorted(Counter(folds.of_scene.values()).values()) == [2, 3, 3, 3]
    for light, heavy in zip(samples[::2], samples[1::2], strict=True):
        assert folds.of(light) == folds.of(heavy)
    assert folds_of(samples[::-1], 4) == folds


def test_scenes_of_one_name_in_two_data_sets_are_two(make_samples: MakeSamples) -> None:
    samples = make_samples(2)
    others = [replace(sample, dataset="other") for sample in samples]
    assert len(folds_of([*samples, *others], 4).of_scene) == 4


def test_scenes_that_share_a_picture_are_one(make_samples: MakeSamples) -> None:
    samples = [replace(sample, content=f"content {number}") for number, sample in enumerate(make_samples(6))]
    others = [replace(sample, dataset="other", scene=f"other {sample.scene}") for sample in samples]
    folds = folds_of([*samples, *others], 3)
    assert sorted(Counter(folds.of_scene.values()).values()) == [4, 4, 4]
    assert all(folds.of(here) == folds.of(there) for here, there in zip(samples, others, strict=True))
    assert folds_of([*others, *samples], 3).of_scene == folds.of_scene


def test_more_folds_than_scenes_are_refused(make_samples: MakeSamples) -> None:
    with pytest.raises(DataError, match="--folds 4: the training data has 3 scenes"):
        folds_of(make_samples(3), 4)
