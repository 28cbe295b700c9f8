"""Crops: the same for the same seed and number, aligned, of pictures of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.errors import DataError
from drivederain.training.batches import Crops

MakeSamples = Callable[..., list[Sample]]


def test_a_batch_is_drawn_from_seed_and_number_alone(make_samples: MakeSamples) -> None:
    def crops(seed: int = 5) -> Crops:
        return Crops(make_samples(), crop=32, batch_size=3, seed=seed)

    in_order = list(islice(crops(), 4))
    out_of_order = crops()
    torch.manual_seed(99)
    for number in (3, 0, 2):
        for name in ("rainy", "clear"):
            assert torch.equal(out_of_order.batch(number)[name], in_order[number][name])
    assert not torch.equal(in_order[0]["clear"], in_order[1]["clear"])
    assert not torch.equal(crops(seed=6).batch(0)["clear"], in_order[0]["clear"])


def test_crops_of_one_sample_show_the_same_place(make_samples: MakeSamples) -> None:
    seen_flips = set()
    crops = Crops(make_samples(1), crop=32, batch_size=8, seed=0, estimate=lambda sample: sample.rainy.load())
    batch = crops.batch(0)
    assert {name: tuple(value.shape) for name, value in batch.items()} == dict.fromkeys(
        ("rainy", "clear", "estimate"), (8, 3, 32, 32)
    )
    assert all(value.dtype == torch.float32 for value in batch.values())
    assert min(float(value.min()) for value in batch.values()) >= 0
    assert max(float(value.max()) for value in batch.values()) <= 1
    assert torch.equal(batch["rainy"], batch["estimate"])
    # Rainy is 40 levels darker, where that is not cut off, times the same gain as everything else.
    for rainy, clear in zip(batch["rainy"], batch["clear"], strict=True):
        for channel in range(3):
            open_ended = (rainy[channel] > 0) & (clear[channel] < 1)
            difference = (clear[channel] - rainy[channel])[open_ended] * 255
            assert float(difference.max() - difference.min()) < 1e-3
            assert 40 * 0.8 < float(difference.mean()) < 40 * 1.21
        seen_flips.add(float(clear[0, 0, 0]))
    assert len(seen_flips) > 1, "all crops of a batch are alike"


@pytest.mark.parametrize(("height", "width"), [(20, 90), (9, 7), (1, 1)])
def test_pictures_smaller_than_the_crop_are_reflected_outwards(
    make_samples: MakeSamples, height: int, width: int
) -> None:
    sample = make_samples(1, height, width)[0]
    batch = Crops([sample], crop=32, batch_size=2, seed=1).batch(0)
    assert batch["clear"].shape == (2, 3, 32, 32)
    if height < 32:
        assert torch.equal(batch["clear"][:, :, height], batch["clear"][:, :, height - 1]), (
            "symmetric: the edge repeats"
        )


def test_without_truth_there_is_nothing_to_train_on(make_samples: MakeSamples) -> None:
    without = make_samples(2, truth=False)
    with pytest.raises(DataError, match="nothing to train on"):
        Crops(without, crop=32, batch_size=1, seed=0)
    assert len(Crops([*without, *make_samples(1)], crop=32, batch_size=1, seed=0).samples) == 1


def test_pictures_of_different_size_name_the_file(make_samples: MakeSamples) -> None:
    small, large = make_samples(1, 40, 40)[0], make_samples(1, 40, 48)[0]
    with pytest.raises(DataError, match=r"noise_0\.png: the clear picture is 48x40, the rainy one 40x40"):
        Crops([replace(small, clear=large.clear)], crop=32, batch_size=1, seed=0).batch(0)


def test_loading_does_not_disturb_the_random_numbers_of_training(make_samples: MakeSamples) -> None:
    """A prefix that must still be run builds a network, which draws numbers; a cached one does not."""

    def estimate(sample: Sample) -> NDArray[np.uint8]:
        torch.rand(17)
        return sample.rainy.load()

    after = []
    for made in (estimate, lambda sample: sample.rainy.load()):
        torch.manual_seed(0)
        Crops(make_samples(), crop=32, batch_size=4, seed=0, estimate=made).batch(0)
        after.append(torch.rand(3))
    assert torch.equal(*after)


def test_only_the_first_loading_of_a_picture_stops_the_clock(
    make_samples: MakeSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivederain.training.batches.MEMORY", 1)  # nothing is kept, all is loaded again and again
    pauses = []

    @contextmanager
    def pause() -> Iterator[None]:
        pauses.append(1)
        yield

    crops = Crops(make_samples(1), crop=32, batch_size=3, seed=0, estimate=lambda s: s.rainy.load(), pause=pause)
    crops.batch(0)
    crops.batch(1)
    assert len(pauses) == 3, "rainy, clear and estimate, once each"
