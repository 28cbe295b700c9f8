"""Each trainable built-in learns in a few steps, and the refiner on the outputs of the stage before it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.implementation import missing_modules
from drivederain.method import Method
from drivederain.registry import Registry
from drivederain.training.data import TrainingData
from drivederain.training.devices import Devices
from drivederain.training.fit import fit
from drivederain.training.progress import Budget
from drivederain.training.recipe import Recipe
from drivederain.training.record import TrainingRecord
from drivederain.weights import serialise

CPU = torch.device("cpu")
TINY: dict[str, dict[str, object]] = {
    "unet": {"architecture": "custom", "width": 8, "residual": True},
    "restormer": {"dim": 8, "blocks": (1, 1, 1, 1), "heads": (1, 1, 2, 2)},
    "diffusion": {"channels": (8, 16)},
}


@dataclass(frozen=True)
class Pixels:
    """A picture in memory."""

    pixels: NDArray[np.uint8]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()

    def load(self) -> NDArray[np.uint8]:
        return self.pixels


@pytest.fixture
def samples(make_picture: Callable[..., NDArray[np.uint8]]) -> list[Sample]:
    """Rainy pictures are the clear ones, half as bright."""
    made = []
    for index in range(2):
        clear = make_picture(index, 48, 48)
        pictures = Pixels(clear // 2), Pixels(clear)
        name = f"picture_{index}"
        made.append(Sample("memory", "train", name, name, *pictures, None, "medium", "recorded"))
    return made


def half_way(sample: Sample) -> NDArray[np.uint8]:
    """What a stage before the refiner makes of a sample: brighter, not yet clear."""
    return (sample.rainy.load() * 1.5).astype(np.uint8)


def make(registry: Registry, name: str, **more: object) -> Method:
    spec = registry.method(name)
    if missing_modules(spec.requires):
        pytest.skip(f"{name} needs the extra {spec.extra}")
    from drivederain.implementation import load_implementation

    method: Method = registry.load(spec)(load_implementation(spec.options)(**TINY[name] | more))
    torch.manual_seed(0)
    method.load(None, CPU)
    return method


def small(method: Method, **more: object) -> Recipe:
    """The method's own recipe on small crops."""
    recipe = method.training()
    assert recipe is not None
    smaller: dict[str, object] = {"crop": 32, "batch_size": 2, "learning_rate": 5e-3}
    return replace(recipe, hyperparameters=recipe.hyperparameters.changed(smaller | more, ""))


def train(method: Method, samples: list[Sample], steps: int, **more: object) -> TrainingRecord:
    recipe = small(method)
    return fit(recipe, TrainingData.of(samples), budget=Budget(steps=steps), seed=0, devices=Devices(CPU), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(TINY))
def test_it_learns_and_the_same_seed_gives_the_same_bytes(name: str, registry: Registry, samples: list[Sample]) -> None:
    files = []
    for _ in range(2):
        method = make(registry, name)
        record = train(method, samples, 5, estimate=half_way if name == "diffusion" else None)
        assert record.steps == 5
        files.append(serialise(method.state(), {}))
    assert files[0] == files[1]
    assert files[0] != serialise(make(registry, name).state(), {}), "the weights moved"
    rainy = torch.from_numpy(samples[0].rainy.load()).permute(2, 0, 1)[None].float() / 255
    clear = torch.from_numpy(samples[0].clear.load()).permute(2, 0, 1)[None].float() / 255  # type: ignore[union-attr]
    given = rainy * 1.5 if name == "diffusion" else rainy
    with torch.inference_mode():
        output = method.restore(rainy, given) if name == "diffusion" else method.restore(rainy)  # type: ignore[call-arg]
    assert float((output - clear).abs().mean()) < float((given - clear).abs().mean()), "nearer to the clear picture"


def test_the_refiner_is_trained_on_the_outputs_of_the_stage_before_it(
    registry: Registry, samples: list[Sample]
) -> None:
    asked = []

    def estimate(sample: Sample) -> NDArray[np.uint8]:
        asked.append(sample.image)
        return half_way(sample)

    method = make(registry, "diffusion")
    seen = []
    recipe = small(method)
    predict = recipe.module.predict
    recipe.module.predict = lambda batch: seen.append(dict(batch)) or predict(batch)
    fit(recipe, TrainingData.of(samples), budget=Budget(steps=2), seed=0, devices=Devices(CPU), estimate=estimate)
    assert sorted(asked) == ["picture_0", "picture_1"]
    for batch in seen:
        assert float((batch["estimate"] - batch["rainy"] * 1.5).abs().max()) < 0.01
