"""What a training is given: pictures to train on, pictures to choose by, photos to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.errors import DataError

Estimate = Callable[[Sample], NDArray[np.uint8]]
"""For a refiner: the frozen prefix's output of a sample, uint8 H x W x 3."""
Prefix = Callable[[Sequence[NDArray[np.uint8]]], Sequence[NDArray[np.uint8]]]
"""For a refiner: the frozen prefix itself, from rainy pictures of one size, uint8 H x W x 3, to its outputs of them."""


@dataclass(frozen=True)
class Part:
    """One data set of a training. ``weight``: its share of the draws in any unit; ``None``: that of its pictures."""

    name: str
    samples: tuple[Sample, ...]
    weight: float | None = None


@dataclass(frozen=True)
class TrainingData:
    """Samples by their use. Samples without truth cannot train and are left out of the parts."""

    parts: tuple[Part, ...]
    validation: tuple[Sample, ...] = ()
    """Clear and rainy pictures that are scored and never trained on; they choose the best weights."""
    photos: tuple[Sample, ...] = ()
    """Rainy photos without truth: restored to be looked at, and for the consistency of two views if asked for."""

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> TrainingData:
        """One data set without validation."""
        return cls((Part("training data", tuple(samples)),))

    @property
    def with_truth(self) -> tuple[Part, ...]:
        """The parts with what can be trained on.

        Raises:
            DataError: nothing can, or some parts have weights and others none.
        """
        parts = [
            Part(part.name, tuple(sample for sample in part.samples if sample.clear is not None), part.weight)
            for part in self.parts
        ]
        if not any(part.samples for part in parts):
            raise DataError("there is nothing to train on: no sample of the training data has a clear picture")
        parts = [part for part in parts if part.samples]
        if len({part.weight is None for part in parts}) > 1:
            bare = next(part.name for part in parts if part.weight is None)
            raise DataError(f"{bare} has no weight and other training data have: give every one a weight, or none")
        return tuple(parts)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All that is trained on."""
        return tuple(sample for part in self.with_truth for sample in part.samples)
