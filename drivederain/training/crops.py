"""Random crops of samples, each decided by the seed and the number of its draw, whatever process makes it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from drivederain.data.decoded import DecodedPictures
from drivederain.data.fresh_rain import has_drawn_rain, with_fresh_rain
from drivederain.data.resize import resize_shorter
from drivederain.data.sample import Sample
from drivederain.errors import DataError
from drivederain.training.data import Estimate, TrainingData
from drivederain.training.draws import Draw
from drivederain.training.hyperparameters import Hyperparameters

MEMORY = 3 * 2**30
"""Bytes of decoded pictures that are kept by all workers together; the least recently used go first."""

Pixels = NDArray[np.uint8]


class Crops(Dataset[dict[str, Tensor]]):
    """From a draw to float32 3 x crop x crop in [0, 1]: ``rainy``, ``clear``, and ``estimate`` if asked.

    A draw of a photo without truth gives two views of one place, ``photo`` and ``photo_flipped``, and ``gain``
    (3 x 1 x 1), by which the second is brighter.

    Args:
        estimate: for a refiner. Its pictures are those of the data set: neither their rain nor their size is drawn.
        pause: entered while a picture is loaded for the first time: drawing its rain or its estimate is not training.
        workers: processes that make crops, among which the memory is shared out.

    Raises:
        DataError: no sample has truth; later, pictures of one sample differ in size.
    """

    def __init__(
        self,
        data: TrainingData,
        hyperparameters: Hyperparameters,
        *,
        seed: int,
        estimate: Estimate | None = None,
        pause: Callable[[], AbstractContextManager[None]] = nullcontext,
        workers: int = 0,
    ) -> None:
        self.parts = [part.samples for part in data.with_truth]
        self.photos = data.photos
        self.hyperparameters, self.seed, self.estimate, self.pause = hyperparameters, seed, estimate, pause
        self._decoded = DecodedPictures(MEMORY // max(workers, 1))
        self._met: set[str] = set()

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, 0, draw.number]))
        if draw.part < 0:
            return self._views(self.photos[draw.picture], draw, rng)
        return self._crops(self.parts[draw.part][draw.picture], draw, rng)

    def name(self, draw: Draw) -> str:
        """The name of the picture that a draw takes."""
        sample = self.photos[draw.picture] if draw.part < 0 else self.parts[draw.part][draw.picture]
        return f"{sample.dataset}/{sample.image}"

    def _crops(self, sample: Sample, draw: Draw, rng: np.random.Generator) -> dict[str, Tensor]:
        pictures = self._pictures(sample, draw, rng)
        place = _Place(pictures["rainy"].shape[:2], draw.crop, rng)
        flip, gain = rng.random() < self.hyperparameters.flip, self._gain(rng)
        return {name: place.cut(picture, flip, gain) for name, picture in pictures.items()}

    def _views(self, photo: Sample, draw: Draw, rng: np.random.Generator) -> dict[str, Tensor]:
        pixels = resize_shorter(self._pixels(photo.rainy.fingerprint, photo.rainy.load), self._size(rng))
        place = _Place(pixels.shape[:2], draw.crop, rng)
        first, second = self._gain(rng), self._gain(rng)
        return {
            "photo": place.cut(pixels, False, first),
            "photo_flipped": place.cut(pixels, True, second),
            "gain": torch.from_numpy(second / first).view(3, 1, 1),
        }

    def _pictures(self, sample: Sample, draw: Draw, rng: np.random.Generator) -> dict[str, Pixels]:
        assert sample.clear is not None
        clear = self._pixels(sample.clear.fingerprint, sample.clear.load)
        if self.estimate is not None:
            make = self.estimate
            pictures = {
                "rainy": self._pixels(sample.rainy.fingerprint, sample.rainy.load),
                "clear": clear,
                "estimate": self._pixels(f"estimate of {sample.rainy.fingerprint}", lambda: make(sample)),
            }
        else:
            size = self._size(rng)
            small = self._shrunk(clear, sample.clear.fingerprint, size)
            if self.hyperparameters.fresh_rain and has_drawn_rain(sample):
                rainy = with_fresh_rain(sample, small, seed=self.seed, name=f"draw {draw.number}")
            else:
                whole = self._pixels(sample.rainy.fingerprint, sample.rainy.load)
                rainy = self._shrunk(whole, sample.rainy.fingerprint, size)
            pictures = {"rainy": rainy, "clear": small}
        height, width = pictures["rainy"].shape[:2]
        for name, picture in pictures.items():
            if picture.shape[:2] != (height, width):
                shown = f"{picture.shape[1]}x{picture.shape[0]}, the rainy one {width}x{height}"
                raise DataError(f"{sample.source_file}: the {name} picture is {shown}; both must be of one size")
        return pictures

    def _size(self, rng: np.random.Generator) -> int | None:
        size = self.hyperparameters.size
        if isinstance(size, tuple):
            return size[int(rng.random() * len(size))]
        return None if size == "native" else size

    def _gain(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """What brightness and each colour are multiplied by."""
        jitter = self.hyperparameters.jitter
        brightness, colours = 2 * rng.random() - 1, 2 * rng.random(3) - 1
        gain: NDArray[np.float32] = ((1 + jitter * brightness) * (1 + jitter / 3 * colours)).astype(np.float32)
        return gain

    def _shrunk(self, picture: Pixels, key: str, size: int | None) -> Pixels:
        if size is None or size >= min(picture.shape[:2]):
            return picture
        return self._decoded.get_by(f"{key} at {size}", lambda: resize_shorter(picture, size))

    def _pixels(self, key: str, load: Callable[[], Pixels]) -> Pixels:
        def load_apart() -> Pixels:
            # A prefix's network draws random numbers where it is built, and only where its output is not cached yet.
            # Training must not notice, or its weights would depend on the cache.
            devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
            first = key not in self._met
            self._met.add(key)
            with torch.random.fork_rng(devices), self.pause() if first else nullcontext():
                return load()

        return self._decoded.get_by(key, load_apart)


class _Place:
    """A random square of a picture; pictures smaller than it are reflected outwards."""

    def __init__(self, size: tuple[int, ...], crop: int, rng: np.random.Generator) -> None:
        height, width = size
        self.crop = crop
        self.top = int(rng.random() * max(height - crop + 1, 1))
        self.left = int(rng.random() * max(width - crop + 1, 1))

    def cut(self, picture: Pixels, flip: bool, gain: NDArray[np.float32]) -> Tensor:
        """float32 3 x crop x crop in [0, 1]."""
        pixels = picture[self.top : self.top + self.crop, self.left : self.left + self.crop]
        pixels = reflected_outwards(pixels, self.crop)
        if flip:
            pixels = pixels[:, ::-1]
        scaled: NDArray[Any] = np.minimum(pixels.astype(np.float32) * (gain / 255), 1.0)
        return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))


def reflected_outwards(picture: Pixels, side: int) -> Pixels:
    """The picture with its right and lower edge reflected outwards until both sides are ``side`` pixels at least."""
    below, right = max(side - picture.shape[0], 0), max(side - picture.shape[1], 0)
    if not below and not right:
        return picture
    return np.pad(picture, ((0, below), (0, right), (0, 0)), mode="symmetric")


def collate(rows: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """B x 3 x crop x crop by name; photos without truth are stacked apart from what has truth."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: torch.stack([row[name] for row in rows if name in row]) for name in names}


def start_method() -> str:
    """How workers are started: never by a fork of this process, whose threads may hold locks that no one would open."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def settle_worker(number: int) -> None:
    """One thread a worker. Ctrl-C and SIGTERM are for the process that trains, which ends its workers itself."""
    cv2.setNumThreads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
