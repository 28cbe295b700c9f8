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
from drivederain.training.folds import Folds
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.scene_variation import varied

MEMORY = 3 * 2**30
"""Bytes of decoded pictures that are kept by all workers together; the least recently used go first."""

Pixels = NDArray[np.uint8]


class Crops(Dataset[dict[str, Tensor]]):
    """From a draw to float32 3 x crop x crop in [0, 1]: ``rainy``, ``clear``, and ``estimate`` if asked.

    A draw of a photo without truth gives two views of one place, ``photo`` and ``photo_flipped``, and ``gain``
    (3 x 1 x 1), by which the second is brighter.

    Args:
        estimate: for a refiner whose estimates are kept. Its pictures are those of the data set: neither their rain nor
            their size is drawn.
        margin: for a refiner whose estimates are made anew (``FreshEstimates``): pixels around each crop that come with
            it where the picture has them, as ``around``. Then crops are 3 x (crop + 2 margin) x (crop + 2 margin), in
            steps of 1/255, and ``corner`` says where the crop proper begins: 2 numbers, from the top and the left.
        folds: with a margin: ``fold`` tells which fold the crop's scene is of.
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
        margin: int = 0,
        folds: Folds | None = None,
        pause: Callable[[], AbstractContextManager[None]] = nullcontext,
        workers: int = 0,
    ) -> None:
        self.parts = [part.samples for part in data.with_truth]
        self.photos, self.margin, self.folds = data.photos, margin, folds
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
        place = _Place(pictures["rainy"].shape[:2], draw.crop, rng, self.margin)
        flip, gain = rng.random() < self.hyperparameters.flip, self._gain(rng)
        crops = {name: place.cut(picture, flip, gain) for name, picture in pictures.items()}
        if self.margin:
            # The prefix will see 8 bits, as in use; the refiner then sees the same.
            crops = {name: (crop * 255).round() / 255 for name, crop in crops.items()} | {"corner": place.corner(flip)}
            if self.folds is not None:
                crops["fold"] = torch.tensor(self.folds.of(sample))
        return crops

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
                apart = np.random.default_rng(np.random.SeedSequence([self.seed, 3, draw.number]))
                small = varied(small, self.hyperparameters, apart)
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
    """A random square of a picture, with ``margin`` pixels around it; what the picture lacks is reflected outwards."""

    def __init__(self, size: tuple[int, ...], crop: int, rng: np.random.Generator, margin: int = 0) -> None:
        self.side = crop + 2 * margin
        corners = [int(rng.random() * max(length - crop + 1, 1)) for length in size]
        # At the picture's edges the crop is not in the middle: the prefix sees the edge there, as it will in use.
        starts = [
            min(max(corner - margin, 0), max(length - self.side, 0))
            for corner, length in zip(corners, size, strict=True)
        ]
        self.top, self.left = starts
        self._within = corners[0] - self.top, corners[1] - self.left
        self._mirrored = self.side - crop - self._within[1]

    def corner(self, flip: bool) -> Tensor:
        """Where the crop proper begins in what ``cut`` returns, from the top and the left."""
        top, left = self._within
        return torch.tensor([top, self._mirrored if flip else left])

    def cut(self, picture: Pixels, flip: bool, gain: NDArray[np.float32]) -> Tensor:
        """float32 3 x side x side in [0, 1]."""
        pixels = picture[self.top : self.top + self.side, self.left : self.left + self.side]
        pixels = reflected_outwards(pixels, self.side)
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
    """B x 3 x H x W by name (``corner``: B x 2); photos without truth are stacked apart from what has truth."""
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
