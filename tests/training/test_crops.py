"""Crops: known from seed and number, aligned, of pictures of any size, with rain drawn anew."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from drivederain.data.drawn_rain import RainDrawing, RainPicture
from drivederain.data.pictures import FilePicture
from drivederain.data.png import encode_png
from drivederain.data.sample import Picture, Sample
from drivederain.errors import DataError
from drivederain.training.crops import Crops, collate, settle_worker, start_method
from drivederain.training.data import Part, TrainingData
from drivederain.training.draws import Draw, Draws, Order
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.weights import sha256_of

MakeSamples = Callable[..., list[Sample]]


def crops_of(samples: list[Sample], *, seed: int = 5, crop: int = 32, **more: Any) -> Crops:
    given = {name: more.pop(name) for name in ("estimate", "pause", "workers", "margin") if name in more}
    data = TrainingData((Part("noise", tuple(samples)),), photos=tuple(more.pop("photos", ())))
    return Crops(data, Hyperparameters(crop=crop, **more), seed=seed, **given)


def batch(crops: Crops, numbers: range, crop: int = 32) -> dict[str, Tensor]:
    return collate([crops[Draw(0, number % len(crops.parts[0]), number, crop)] for number in numbers])


def test_a_crop_follows_from_seed_and_number_alone(make_samples: MakeSamples) -> None:
    in_order = [batch(crops_of(make_samples()), range(3 * n, 3 * n + 3)) for n in range(4)]
    out_of_order = crops_of(make_samples())
    torch.manual_seed(99)
    for n in (3, 0, 2):
        for name, value in batch(out_of_order, range(3 * n, 3 * n + 3)).items():
            assert torch.equal(value, in_order[n][name])
    assert not torch.equal(in_order[0]["clear"], in_order[1]["clear"])
    assert not torch.equal(batch(crops_of(make_samples(), seed=6), range(3))["clear"], in_order[0]["clear"])


def test_workers_make_the_same_crops(make_samples: MakeSamples, tmp_path: Path) -> None:
    def in_file(picture: Picture) -> FilePicture:
        """Workers are processes of their own, which know the program and not these tests."""
        path = tmp_path / f"{picture.fingerprint}.png"
        path.write_bytes(encode_png(picture.load()))
        return FilePicture(path, sha256_of(path))

    def loaded(workers: int) -> list[dict[str, Tensor]]:
        draws = Draws(Order(5, [3]), lambda number: (32, 2), 3)
        samples = make_samples()
        files = [replace(each, rainy=in_file(each.rainy), clear=in_file(each.clear)) for each in samples if each.clear]
        crops = crops_of(files, workers=workers)
        loader = DataLoader(
            crops,
            batch_sampler=draws,
            num_workers=workers,
            collate_fn=collate,
            worker_init_fn=settle_worker,
            multiprocessing_context=start_method() if workers else None,
        )
        return list(loader)

    for here, there in zip(loaded(0), loaded(2), strict=True):
        assert all(torch.equal(value, there[name]) for name, value in here.items())


def test_crops_of_one_sample_show_the_same_place(make_samples: MakeSamples) -> None:
    seen_flips = set()
    found = batch(crops_of(make_samples(1), estimate=lambda sample: sample.rainy.load()), range(8))
    assert {name: tuple(value.shape) for name, value in found.items()} == dict.fromkeys(
        ("rainy", "clear", "estimate"), (8, 3, 32, 32)
    )
    assert all(value.dtype == torch.float32 for value in found.values())
    assert min(float(value.min()) for value in found.values()) >= 0
    assert max(float(value.max()) for value in found.values()) <= 1
    assert torch.equal(found["rainy"], found["estimate"])
    # Rainy is 40 levels darker, where that is not cut off, times the same gain as everything else.
    for rainy, clear in zip(found["rainy"], found["clear"], strict=True):
        for channel in range(3):
            open_ended = (rainy[channel] > 0) & (clear[channel] < 1)
            difference = (clear[channel] - rainy[channel])[open_ended] * 255
            assert float(difference.max() - difference.min()) < 1e-3
            assert 40 * 0.8 < float(difference.mean()) < 40 * 1.21
        seen_flips.add(float(clear[0, 0, 0]))
    assert len(seen_flips) > 1, "all crops of a batch are alike"


@pytest.mark.parametrize(("flip", "flipped"), [(0.0, 0), (1.0, 6)])
def test_flips_have_their_probability_and_jitter_can_be_off(
    make_samples: MakeSamples, flip: float, flipped: int
) -> None:
    (sample,) = make_samples(1, 32, 32)
    assert sample.clear is not None
    whole = torch.from_numpy(sample.clear.load().transpose(2, 0, 1).copy()).float() / 255
    found = batch(crops_of([sample], flip=flip, jitter=0.0), range(6))["clear"]
    assert sum(bool(torch.allclose(each, whole.flip(-1), atol=1e-6)) for each in found) == flipped


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_a_margin_comes_around_the_same_crops(make_samples: MakeSamples, flip: float) -> None:
    samples, corners = make_samples(3), set()
    plain = batch(crops_of(samples, crop=16, flip=flip), range(24), 16)
    wide = batch(crops_of(samples, crop=16, flip=flip, margin=8), range(24), 16)
    assert wide["rainy"].shape == (24, 3, 32, 32)
    for number, (top, left) in enumerate(wide["corner"].tolist()):
        corners.add((top, left))
        for name in ("rainy", "clear"):
            crop = wide[name][number, :, top : top + 16, left : left + 16]
            assert torch.allclose(crop, plain[name][number], atol=0.5 / 255 + 1e-6)
            levels = wide[name][number] * 255
            assert torch.allclose(levels, levels.round(), atol=1e-4), "8 bits, as the prefix will see them"
    assert (8, 8) in corners, "in the middle where the picture has as much around it"
    assert any(corner != (8, 8) for corner in corners), "at an edge the prefix sees the edge"


@pytest.mark.parametrize(("height", "width"), [(20, 90), (9, 7), (1, 1)])
def test_pictures_smaller_than_the_crop_are_reflected_outwards(
    make_samples: MakeSamples, height: int, width: int
) -> None:
    found = batch(crops_of([make_samples(1, height, width)[0]]), range(2))["clear"]
    assert found.shape == (2, 3, 32, 32)
    if height < 32:
        assert torch.equal(found[:, :, height], found[:, :, height - 1]), "symmetric: the edge repeats"


def test_several_sizes_are_drawn_and_all_pictures_shrunk_alike(make_samples: MakeSamples) -> None:
    crops = crops_of(make_samples(1, 60, 80), size=(30, 40), jitter=0.0, flip=0.0, crop=64)
    sizes = set()
    for number in range(12):
        found = crops[Draw(0, 0, number, 64)]
        # Pictures end where they begin to be reflected.
        for height in (30, 40):
            if torch.equal(found["clear"][:, height], found["clear"][:, height - 1]):
                sizes.add(height)
                assert torch.equal(found["rainy"][:, height], found["rainy"][:, height - 1])
    assert sizes == {30, 40}


def test_rain_is_drawn_anew_for_each_draw_and_can_stay(make_samples: MakeSamples, tmp_path: Path) -> None:
    (noise,) = make_samples(1, 64, 64)
    assert noise.clear is not None
    drawing = RainDrawing(noise.clear, 0, "photo", "heavy", tmp_path)
    sample = replace(noise, rainy=RainPicture(drawing))
    fixed = {"flip": 0.0, "jitter": 0.0, "crop": 64}
    fresh = batch(crops_of([sample], **fixed), range(3), 64)
    assert not list(tmp_path.rglob("*.png")), "it is not kept"
    assert torch.equal(fresh["clear"][0], fresh["clear"][1])
    assert len({each.numpy().tobytes() for each in fresh["rainy"]}) == 3, "never the same drops twice"
    again = batch(crops_of([sample], **fixed), range(3), 64)
    assert torch.equal(fresh["rainy"], again["rainy"]), "but the same draw has the same drops"
    stays = batch(crops_of([sample], fresh_rain=False, **fixed), range(3), 64)["rainy"]
    kept = torch.from_numpy(drawing.picture("rainy.png").transpose(2, 0, 1).copy()).float() / 255
    assert all(torch.allclose(each, kept, atol=1e-6) for each in stays)


def test_two_views_of_a_photo_differ_by_flip_and_gain_alone(make_samples: MakeSamples) -> None:
    photos = make_samples(1, 40, 40, truth=False)
    crops = crops_of(make_samples(1), photos=photos, jitter=0.3)
    views = collate([crops[Draw(-1, 0, number, 32)] for number in range(4)])
    assert views["gain"].shape == (4, 3, 1, 1) and not torch.allclose(views["gain"], torch.ones(1))
    wanted = views["photo"] * views["gain"]
    unclipped = (views["photo"] < 1) & (views["photo_flipped"].flip(-1) < 1)
    assert torch.allclose(views["photo_flipped"].flip(-1)[unclipped], wanted[unclipped], atol=1e-5)


def test_without_truth_there_is_nothing_to_train_on(make_samples: MakeSamples) -> None:
    without = make_samples(2, truth=False)
    with pytest.raises(DataError, match="nothing to train on"):
        crops_of(without)
    assert len(crops_of([*without, *make_samples(1)]).parts[0]) == 1


def test_every_part_has_a_weight_or_none(make_samples: MakeSamples) -> None:
    parts = (Part("one", tuple(make_samples(1)), 2.0), Part("two", tuple(make_samples(1))))
    with pytest.raises(DataError, match="two has no weight and other training data have"):
        _ = TrainingData(parts).with_truth


def test_pictures_of_different_size_name_the_file(make_samples: MakeSamples) -> None:
    small, large = make_samples(1, 40, 40)[0], make_samples(1, 40, 48)[0]
    with pytest.raises(DataError, match=r"noise_0\.png: the clear picture is 48x40, the rainy one 40x40"):
        batch(crops_of([replace(small, clear=large.clear)]), range(1))


def test_loading_does_not_disturb_the_random_numbers_of_training(make_samples: MakeSamples) -> None:
    """A prefix that must still be run builds a network, which draws numbers; a cached one does not."""

    def estimate(sample: Sample) -> NDArray[np.uint8]:
        torch.rand(17)
        return sample.rainy.load()

    after = []
    for made in (estimate, lambda sample: sample.rainy.load()):
        torch.manual_seed(0)
        batch(crops_of(make_samples(), estimate=made), range(4))
        after.append(torch.rand(3))
    assert torch.equal(*after)


def test_only_the_first_loading_of_a_picture_stops_the_clock(
    make_samples: MakeSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivederain.training.crops.MEMORY", 1)  # nothing is kept, all is loaded again and again
    pauses = []

    @contextmanager
    def pause() -> Iterator[None]:
        pauses.append(1)
        yield

    crops = crops_of(make_samples(1), estimate=lambda sample: sample.rainy.load(), pause=pause)
    batch(crops, range(4))
    assert len(pauses) == 3, "rainy, clear and estimate, once each"


def test_crops_can_be_sent_to_workers_that_are_spawned(make_samples: MakeSamples) -> None:
    crops = crops_of(make_samples(), workers=2)
    there = pickle.loads(pickle.dumps(crops))
    assert torch.equal(batch(crops, range(2))["rainy"], batch(there, range(2))["rainy"])
