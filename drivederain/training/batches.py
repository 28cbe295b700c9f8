"""Batches of random crops from samples, the same for the same seed whatever else happens on the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
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
    """Endless batches: dicts of float32 B x 3 x crop x crop in [0, 1]: ``rainy``, ``clear``, and ``estimate`` if asked.

    Batch ``n`` is drawn from ``SeedSequence([seed, n])`` alone. Samples without truth cannot train and are left out.

    Args:
        estimate: for a refiner, gives the frozen prefix's output of a sample, uint8 H x W x 3.
        pause: entered while a picture is loaded for the first time: drawing its rain or its estimate is not training.

    Raises:
        DataError: no sample has truth; later, pictures of one sample differ in size.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        *,
        crop: int,
        batch_size: int,
        seed: int,
        estimate: Estimate | None = None,
        pause: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.samples = [sample for sample in samples if sample.clear is not None]
        if not self.samples:
            raise DataError("there is nothing to train on: no sample of the training data has a clear picture")
        self.crop, self.batch_size, self.seed, self.estimate, self.pause = crop, batch_size, seed, estimate, pause
        self.decoded = DecodedPictures(MEMORY)
        self._met: set[str] = set()

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        number = 0
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
        pictures = {
            "rainy": self._pixels(sample.rainy.fingerprint, sample.rainy.load),
            "clear": self._pixels(sample.clear.fingerprint, sample.clear.load),
        }
        if self.estimate is not None:
            make = self.estimate
            pictures["estimate"] = self._pixels(f"estimate of {sample.rainy.fingerprint}", lambda: make(sample))
        height, width = pictures["rainy"].shape[:2]
        for name, picture in pictures.items():
            if picture.shape[:2] != (height, width):
                shown = f"{picture.shape[1]}x{picture.shape[0]}, the rainy one {width}x{height}"
                raise DataError(f"{sample.source_file}: the {name} picture is {shown}; both must be of one size")
        top = int(rng.random() * max(height - self.crop + 1, 1))
        left = int(rng.random() * max(width - self.crop + 1, 1))
        flip = rng.random() < 0.5
        gain = ((1 + JITTER * (2 * rng.random() - 1)) * (1 + JITTER / 3 * (2 * rng.random(3) - 1))).astype(np.float32)
        return {
            name: _to_tensor(picture[top : top + self.crop, left : left + self.crop], self.crop, flip, gain)
            for name, picture in pictures.items()
        }

    def _pixels(self, key: str, load: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        def load_apart() -> NDArray[np.uint8]:
            # A prefix's network draws random numbers where it is built, and only where its output is not cached yet.
            # Training must not notice, or its weights would depend on the cache.
            devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
            first = key not in self._met
            self._met.add(key)
            with torch.random.fork_rng(devices), self.pause() if first else nullcontext():
                return load()

        return self.decoded.get_by(key, load_apart)


def _to_tensor(pixels: NDArray[np.uint8], crop: int, flip: bool, gain: NDArray[np.float32]) -> Tensor:
    """float32 3 x crop x crop; pictures smaller than the crop are reflected outwards."""
    below, right = crop - pixels.shape[0], crop - pixels.shape[1]
    if below or right:
        pixels = np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="symmetric")
    if flip:
        pixels = pixels[:, ::-1]
    scaled: NDArray[Any] = np.minimum(pixels.astype(np.float32) * (gain / 255), 1.0)
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))
