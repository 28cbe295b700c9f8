"""Small drawn samples to train on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from drivederain.data.sample import Sample


@dataclass(frozen=True)
class Noise:
    """Smooth random pixels by name."""

    name: str
    height: int
    width: int
    darker: int = 0

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.name} {self.height} {self.width} {self.darker}".encode()).hexdigest()

    def load(self) -> NDArray[np.uint8]:
        rng = np.random.default_rng(np.random.SeedSequence(list(self.name.encode())))
        coarse = rng.random((-(-self.height // 8), -(-self.width // 8), 3))
        fine = np.kron(coarse, np.ones((8, 8, 1)))[: self.height, : self.width] * 200
        return np.clip(fine - self.darker, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def make_samples() -> Callable[..., list[Sample]]:
    """Maker of ``count`` samples; rainy is clear, but darker. ``truth=False``: without the clear picture."""

    def make(count: int = 3, height: int = 48, width: int = 56, *, truth: bool = True) -> list[Sample]:
        return [
            Sample(
                dataset="noise",
                split="train",
                image=f"noise_{index}",
                scene=f"noise_{index}",
                rainy=Noise(f"noise {index}", height, width, darker=40),
                clear=Noise(f"noise {index}", height, width) if truth else None,
                mask=None,
                intensity="medium",
                intensity_source="recorded",
                source_file=f"noise_{index}.png",
            )
            for index in range(count)
        ]

    return make
