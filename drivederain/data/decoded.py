"""Decoded pictures that are asked for again, kept within a limit of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drivederain.data.sample import Picture


class DecodedPictures:
    """Pixels by fingerprint, up to ``limit`` bytes; the least recently used go first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._pictures: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()

    def get(self, picture: Picture) -> NDArray[np.uint8]:
        """The picture's pixels; raises as ``Picture.load``."""
        return self.get_by(picture.fingerprint, picture.load)

    def get_by(self, key: str, load: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """What ``load`` returned for ``key``, now or before."""
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        pixels = self._pictures[key] = load()
        self._size += pixels.nbytes
        while self._size > self._limit and len(self._pictures) > 1:
            self._size -= self._pictures.popitem(last=False)[1].nbytes
        return pixels
