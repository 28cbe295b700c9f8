"""Batches of random crops from samples, the same for the same seed whatever else happens on the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from drivederain.data.decoded import DecodedPictures
from drivederain.data.sample import Sample
from drivederain.errors import DataError

MEMORY = 3 * 2**30
"""Bytes of decoded pictures that are kept; the least recently used go first."""
JITTER = 0.15
"""Brightness and each colour channel are scaled by up to this share, alike in all pictures of a sample."""

Estimate = Callable[[Sample], NDArray[np.uint8]]


class Crops(IterableDataset[dict[str, Tensor]]):
    """Endless batches: dicts of float32 B x 3 x crop x crop in [0, 1] named ``rainy``, ``clear`` and, if asked, ``estimate``.

    Batch ``n`` is drawn from ``SeedSequence([seed, n])`` alone. Samples without truth cannot train and are refused.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        *,
        crop: int,
        batch_size: int,
        seed: int,
        estimate: Estimate | None = None,
        first: int = 0,
    ) -> None:
        self.samples = [sample for sample in samples if sample.clear is not None]
        if not self.samples:
            raise DataError("there is nothing to train on: no sample of the training data has a clear picture")
        self.crop, self.batch_size, self.seed, self.estimate, self.first = crop, batch_size, seed, estimate, first
        self.decoded = DecodedPictures(MEMORY)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        number = self.first
        while True:
            yield self.batch(number)
            number += 1

    def batch(self, number: int) -> dict[str, Tensor]:
        """Batch ``number`` of the endless sequence."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, number]))
        rows = [self._crops(self.samples[int(rng.random() * len(self.samples))], rng) for _ in range(self.batch_size)]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def _crops(self, sample: Sample, rng: np.random.Generator) -> dict[str, Tensor]:
        assert sample.clear is not None
        pictures = {"rainy": self.decoded.get(sample.rainy), "clear": self.decoded.get(sample.clear)}
        if self.estimate is not None:
            make = self.estimate
            pictures["estimate"] = self.decoded.get_by(f"estimate of {sample.rainy.fingerprint}", lambda: make(sample))
        height, width = pictures["rainy"].shape[:2]
        if any(picture.shape[:2] != (height, width) for picture in pictures.values()):
            raise DataError(f"{sample.source_file}: the rainy and the clear picture differ in size")
        top = int(rng.random() * max(height - self.crop + 1, 1))
        left = int(rng.random() * max(width - self.crop + 1, 1))
        flip = rng.random() < 0.5
        gain = ((1 + JITTER * (2 * rng.random() - 1)) * (1 + JITTER / 3 * (2 * rng.random(3) - 1))).astype(np.float32)
        return {
            name: _to_tensor(picture[top : top + self.crop, left : left + self.crop], self.crop, flip, gain)
            for name, picture in pictures.items()
        }


def _to_tensor(pixels: NDArray[np.uint8], crop: int, flip: bool, gain: NDArray[np.float32]) -> Tensor:
    """float32 3 x crop x crop; pictures smaller than the crop are reflected outwards."""
    below, right = crop - pixels.shape[0], crop - pixels.shape[1]
    if below or right:
        pixels = np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="symmetric")
    if flip:
        pixels = pixels[:, ::-1]
    scaled: NDArray[Any] = np.minimum(pixels.astype(np.float32) * (gain / 255), 1.0)
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))
