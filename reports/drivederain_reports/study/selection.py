"""Which questions are asked: all pairs of methods, balanced over data sets and intensities, and attention checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from drivederain_reports.study.candidates import Candidate, Strata, drawn


@dataclass(frozen=True)
class Side:
    """One of the two pictures of a question."""

    name: str
    """A method; of an attention check ``clear``, ``rainy`` or ``blurred``."""
    path: Path
    blurred: bool = False
    """Beyond recognition, before it is shown."""


@dataclass(frozen=True)
class Asked:
    """A question before it has codes."""

    candidate: Candidate
    sides: tuple[Side, Side]
    obvious: bool
    """An attention check: the first side is the better one."""


def pair_questions(strata: Strata, methods: Sequence[str], count: int, seed: int) -> list[Asked]:
    """At most ``count`` questions; any beginning of the list is as balanced as the whole.

    Pairs take turns. Each goes to the stratum where it was asked about least, then where all pairs were. Within a
    stratum the picture is taken that was asked about least, then the scene, then by hash. Fewer questions come back
    where no further pictures are stored.
    """
    pairs = sorted(combinations(methods, 2), key=lambda pair: drawn(seed, *pair))
    asked: list[Asked] = []
    taken = _Taken()
    while pairs and len(asked) < count:
        for pair in list(pairs):
            if len(asked) == count:
                break
            picture = taken.next_picture(strata, pair)
            if picture is None:
                pairs.remove(pair)
            else:
                first, second = (Side(name, picture.output(name)) for name in pair)
                asked.append(Asked(picture, (first, second), obvious=False))
    return asked


class _Taken:
    """How often pictures, scenes and strata were asked about."""

    def __init__(self) -> None:
        self._pairs: Counter[tuple[str, str, tuple[str, str]]] = Counter()
        self._strata: Counter[tuple[str, str]] = Counter()
        self._scenes: Counter[tuple[str, str]] = Counter()
        self._images: Counter[tuple[str, str]] = Counter()
        self._done: set[tuple[str, str, tuple[str, str]]] = set()

    def next_picture(self, strata: Strata, pair: tuple[str, str]) -> Candidate | None:
        """The picture that ``pair`` is asked about next, counted as taken; ``None`` where none is left."""
        # sorted is stable: what is equal stays in the order of its hashes.
        for stratum in sorted(strata, key=lambda key: (self._pairs[*key, pair], self._strata[key])):
            for each in sorted(
                strata[stratum], key=lambda c: (self._images[c.dataset, c.image], self._scenes[c.dataset, c.scene])
            ):
                once = each.dataset, each.image, pair
                if once not in self._done and _are_stored(each, pair):
                    self._done.add(once)
                    self._pairs[*stratum, pair] += 1
                    self._strata[stratum] += 1
                    self._scenes[each.dataset, each.scene] += 1
                    self._images[each.dataset, each.image] += 1
                    return each
        return None


def _are_stored(picture: Candidate, pair: tuple[str, str]) -> bool:
    return all(path.is_file() for path in (picture.rainy, *(picture.output(name) for name in pair)))


def check_questions(strata: Strata, count: int, seed: int) -> list[Asked]:
    """At most ``count`` attention checks: the clear truth, else the rainy input, beside that input blurred heavily."""
    pictures = sorted(
        (picture for stratum in strata.values() for picture in stratum if picture.rainy.is_file()),
        key=lambda c: drawn(seed, "attention", c.dataset, c.image),
    )
    pictures.sort(key=lambda picture: not picture.clear.is_file())
    asked = []
    for picture in pictures[:count]:
        good = Side("clear", picture.clear) if picture.clear.is_file() else Side("rainy", picture.rainy)
        asked.append(Asked(picture, (good, Side("blurred", picture.rainy, blurred=True)), obvious=True))
    return asked
