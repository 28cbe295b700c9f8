"""A refiner's estimates are made anew wherever its rain is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drivederain.data.drawn_rain import RainDrawing, RainPicture
from drivederain.data.sample import Sample
from drivederain.training.data import Prefix, TrainingData
from drivederain.training.devices import Devices
from drivederain.training.fit import fit
from drivederain.training.folds import folds_of
from drivederain.training.fresh_estimates import MARGIN, FreshEstimates
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.module import RestorationModule
from drivederain.training.progress import Budget
from drivederain.training.recipe import Recipe

MakeSamples = Callable[..., list[Sample]]
Pixels = NDArray[np.uint8]
CPU = torch.device("cpu")


def inverted(rainy: Sequence[Pixels]) -> list[Pixels]:
    """A prefix whose output is known."""
    return [255 - picture for picture in rainy]


class Watched(RestorationModule):
    """A refiner that keeps the batches that it saw."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 3, 1))
        self.seen: list[dict[str, Tensor]] = []

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        self.seen.append({name: value.clone() for name, value in batch.items()})
        output: Tensor = self.network(batch["estimate"])
        return output


def refine(samples: list[Sample], prefix: object = inverted, **more: object) -> list[dict[str, Tensor]]:
    """What a refiner was shown in four batches of two."""
    module = Watched()
    fit(
        Recipe(module, Hyperparameters(crop=16, batch_size=2, **more)),  # type: ignore[arg-type]
        TrainingData.of(samples),
        budget=Budget(steps=4),
        seed=0,
        devices=Devices(CPU),
        estimate=lambda sample: sample.rainy.load() // 2,
        prefixes=[prefix],  # type: ignore[list-item]
    )
    return module.seen


def with_drawn_rain(samples: list[Sample], cache: Path) -> list[Sample]:
    drawn = []
    for sample in samples:
        assert sample.clear is not None
        drawing = RainDrawing(sample.clear, 0, sample.image, "heavy", cache)
        drawn.append(replace(sample, rainy=RainPicture(drawing)))
    return drawn


def test_the_prefix_sees_each_crop_with_what_is_around_it() -> None:
    rng = np.random.default_rng(0)
    side = 16 + 2 * MARGIN
    rainy, clear = (torch.from_numpy(rng.integers(0, 256, (2, 3, side, side))).float() / 255 for _ in range(2))
    shown: list[list[Pixels]] = []
    pauses = []

    @contextmanager
    def pause() -> Iterator[None]:
        pauses.append(1)
        yield

    def prefix(pictures: Sequence[Pixels]) -> list[Pixels]:
        shown.append(list(pictures))
        return inverted(pictures)

    complete = FreshEstimates([prefix], pause)
    batch = {"rainy": rainy, "clear": clear, "corner": torch.tensor([[MARGIN, MARGIN], [0, 5]])}
    for _ in range(2):
        made = complete(dict(batch))
    assert len(pauses) == 1, "loading the prefix is not training; restoring is"
    assert [picture.shape for picture in shown[0]] == [(side, side, 3)] * 2
    assert np.array_equal(shown[0][1], (rainy[1] * 255).round().permute(1, 2, 0).numpy())
    assert {name: tuple(value.shape) for name, value in made.items()} == dict.fromkeys(
        ("rainy", "clear", "estimate"), (2, 3, 16, 16)
    )
    assert torch.equal(made["rainy"][1], rainy[1, :, :16, 5:21]) and torch.equal(
        made["clear"][1], clear[1, :, :16, 5:21]
    )
    assert torch.allclose(made["estimate"], 1 - made["rainy"], atol=1e-6)


def test_drawn_rain_is_drawn_and_restored_anew_in_every_step(make_samples: MakeSamples, tmp_path: Path) -> None:
    seen = refine(with_drawn_rain(make_samples(1, 16, 16), tmp_path), flip=0.0, jitter=0.0)
    assert len({rainy.numpy().tobytes() for batch in seen for rainy in batch["rainy"]}) == 8, "no rain twice"
    for batch in seen:
        assert torch.allclose(batch["estimate"], 1 - batch["rainy"], atol=1e-6), "of the rain that is in the batch"
        assert torch.equal(batch["clear"][0], batch["clear"][1])


def test_the_same_seed_shows_the_same_batches(make_samples: MakeSamples, tmp_path: Path) -> None:
    def disturbing(pictures: Sequence[Pixels]) -> list[Pixels]:
        with torch.random.fork_rng([]):
            torch.rand(7)
        return inverted(pictures)

    samples = with_drawn_rain(make_samples(), tmp_path)
    for here, there in zip(refine(samples), refine(samples, disturbing), strict=True):
        assert all(torch.equal(value, there[name]) for name, value in here.items())


@pytest.mark.parametrize("drawn", [True, False])
def test_rain_that_stays_has_estimates_that_are_kept(make_samples: MakeSamples, tmp_path: Path, drawn: bool) -> None:
    def never(pictures: Sequence[Pixels]) -> list[Pixels]:
        raise AssertionError("the estimates of the data set do")

    samples = make_samples()
    seen = refine(with_drawn_rain(samples, tmp_path), never, fresh_rain=False) if drawn else refine(samples, never)
    for batch in seen:
        assert float((batch["estimate"] - batch["rainy"] / 2).abs().max()) < 2 / 255


def test_of_several_prefixes_that_of_the_scene_s_fold_restores(make_samples: MakeSamples, tmp_path: Path) -> None:
    samples = with_drawn_rain(make_samples(4, 16, 16), tmp_path)
    folds = folds_of(samples, 2)
    shown: list[dict[str, Tensor]] = []

    class Seen(Watched):
        def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
            shown.append(dict(batch))
            return super().predict(batch)

    def constant(level: int) -> Prefix:
        return lambda rainy: [np.full_like(picture, level) for picture in rainy]

    module = Seen()
    fit(
        Recipe(module, Hyperparameters(crop=16, batch_size=4, flip=0.0, jitter=0.0)),
        TrainingData.of(samples),
        budget=Budget(steps=2),
        seed=0,
        devices=Devices(CPU),
        estimate=lambda sample: sample.rainy.load(),
        prefixes=[constant(51), constant(204)],
        folds=folds,
    )
    clear = {sample.clear.load()[0, 0].tobytes(): folds.of(sample) for sample in samples if sample.clear is not None}
    for batch in shown:
        for estimate, truth in zip(batch["estimate"], batch["clear"], strict=True):
            pixel = (truth[:, 0, 0] * 255).round().to(torch.uint8).numpy().tobytes()
            assert torch.allclose(estimate, torch.full_like(estimate, (0.2, 0.8)[clear[pixel]]))
    assert {round(float(each.mean()), 2) for batch in shown for each in batch["estimate"]} == {0.2, 0.8}
