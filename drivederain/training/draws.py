"""Which picture is drawn next: an endless order that is known from the seed and the number of the draw alone.

So a training goes on at any step as if it had never stopped, whatever the number of workers or devices.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

Shape = Callable[[int], tuple[int, int]]
"""From the number of a batch to its crop and its size on one device."""


RECENT = 256
"""Batches whose draws are remembered: more than loaders fetch ahead."""


FINE = 1000
"""Draws of a round at least, where parts have weights."""


class Draw(NamedTuple):
    """A picture to be drawn: the ``picture``-th of a part, or of the photos without truth where ``part`` is -1.

    ``number`` counts all draws of the training and seeds the crop, the flip and the rain.
    """

    part: int
    picture: int
    number: int
    crop: int


class Order:
    """The endless order of pictures from several parts of the data, each with its share.

    Draws go by rounds of as many as there are pictures (more, where there are few and parts have weights). In a round
    each part has its share of the draws, in a random order; a part's own pictures come once each before any comes
    again.

    Args:
        sizes: pictures of each part.
        weights: share of the draws that each part has, in any unit; by default its share of the pictures.
    """

    def __init__(self, seed: int, sizes: Sequence[int], weights: Sequence[float] | None = None) -> None:
        self.seed, self.sizes = seed, tuple(sizes)
        # Few pictures would give shares in coarse steps.
        self.round = max(sum(sizes), FINE) if weights else sum(sizes)
        self.counts = _apportioned(self.round, weights or [float(size) for size in sizes])
        self._of_round = lru_cache(maxsize=4)(self._shuffled)
        self._of_part = lru_cache(maxsize=2 * len(sizes) + 2)(self._permutation)

    def at(self, number: int) -> tuple[int, int]:
        """Part and index of a draw."""
        part, visit = self._of_round(number // self.round)[number % self.round]
        index = self._of_part(int(part), int(visit) // self.sizes[part])[int(visit) % self.sizes[part]]
        return int(part), int(index)

    def _shuffled(self, round_number: int) -> NDArray[np.int64]:
        """Rows of part and how often that part was drawn before."""
        rows = [
            (part, round_number * count + visit) for part, count in enumerate(self.counts) for visit in range(count)
        ]
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, 1, round_number]))
        return rng.permutation(np.array(rows, np.int64))

    def _permutation(self, part: int, visit: int) -> NDArray[np.int64]:
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, 2, part, visit]))
        return rng.permutation(self.sizes[part])


def _apportioned(total: int, shares: Sequence[float]) -> list[int]:
    """``total`` in whole numbers by shares, with the largest remainders rounded up; no share above 0 gets nothing."""
    whole = sum(shares)
    exact = [total * share / whole for share in shares]
    counts = [max(math.floor(value), 1 if value > 0 else 0) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda part: math.floor(exact[part]) - exact[part])
    for part in by_remainder[: max(total - sum(counts), 0)]:
        counts[part] += 1
    while sum(counts) > total:
        counts[counts.index(max(counts))] -= 1
    return counts


@dataclass
class Place:
    """How far a training is in its data. ``batch`` counts in the epoch, ``draws`` over all of the training."""

    epoch: int = 0
    batch: int = 0
    draws: int = 0


class Draws(Sampler[list[Draw]]):
    """Batches of draws of one epoch after the other, from any place on; a device draws every ``world``-th.

    It has no length on purpose: the first epoch after a resumption is shorter than the others.

    ``rank``, 0 by default, says which device this process is.

    Args:
        shape: crop and batch size by the number of the batch over all epochs.
        epoch_batches: batches an epoch.
        unlabelled: the order of photos without truth, of which each batch has half as many.
    """

    def __init__(
        self,
        order: Order,
        shape: Shape,
        epoch_batches: int,
        *,
        place: Place | None = None,
        world: int = 1,
        unlabelled: Order | None = None,
    ) -> None:
        self.order, self.shape, self.epoch_batches, self.unlabelled = order, shape, epoch_batches, unlabelled
        self.rank, self.world = 0, world
        self._next = place or Place()
        self._first = 0
        self._draws_after: list[int] = []
        self._recent: deque[tuple[int, list[Draw]]] = deque(maxlen=RECENT)

    def __iter__(self) -> Iterator[list[Draw]]:
        self._first, self._draws_after = self._next.batch, []
        epoch, number = self._next.epoch, self._next.draws
        for batch in range(self._first, self.epoch_batches):
            crop, size = self.shape(epoch * self.epoch_batches + batch)
            drawn = [Draw(*self.order.at(each), each, crop) for each in range(number, number + size * self.world)]
            if self.unlabelled is not None:
                few = max(size // 2, 1) * self.world
                # Their numbers begin where those of the batch do: no two photos of a batch have the same.
                drawn += [Draw(-1, self.unlabelled.at(each)[1], each, crop) for each in range(number, number + few)]
            number += size * self.world
            self._draws_after.append(number)
            self._next = Place(epoch, batch + 1, number)
            own = self._own(drawn, size)
            self._recent.append((batch - self._first, own))
            yield own
        self._next = Place(epoch + 1, 0, number)

    def _own(self, drawn: list[Draw], size: int) -> list[Draw]:
        split = size * self.world
        return drawn[:split][self.rank :: self.world] + drawn[split:][self.rank :: self.world]

    def drawn(self, batch_index: int) -> list[Draw]:
        """What a recent batch of this device was made of, by its index since the iteration began.

        Raises:
            LookupError: it is no longer known.
        """
        for index, own in reversed(self._recent):
            if index == batch_index:
                return own
        raise LookupError(f"batch {batch_index} is no longer known")

    def place_after(self, epoch: int, batch_index: int) -> Place:
        """The place after a batch, by its index since the iteration began; loaders fetch further ahead than that."""
        batch, draws = self._first + batch_index + 1, self._draws_after[batch_index]
        return Place(epoch + 1, 0, draws) if batch == self.epoch_batches else Place(epoch, batch, draws)
