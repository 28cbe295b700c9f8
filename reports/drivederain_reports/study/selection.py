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

    Pairs take turns, and each goes from stratum to stratum. Within a stratum the picture is taken that was asked about
    least, then the scene, then by hash. Fewer come back where no further pictures are stored.
    """
    pairs = sorted(combinations(methods, 2), key=lambda pair: drawn(seed, *pair))
    keys = list(strata)
    images: Counter[tuple[str, str]] = Counter()
    scenes: Counter[tuple[str, str]] = Counter()
    asked: list[Asked] = []
    done: set[tuple[str, str, tuple[str, str]]] = set()

    def next_picture(pair: tuple[str, str], start: int) -> Candidate | None:
        for offset in range(len(keys)):
            stratum = strata[keys[(start + offset) % len(keys)]]
            for picture in sorted(
                stratum, key=lambda c: (images[c.dataset, c.image], scenes[c.dataset, c.scene])
            ):  # sorted is stable: by hash where these are equal
                if (picture.dataset, picture.image, pair) not in done and all(
                    path.is_file() for path in (picture.rainy, *(picture.output(name) for name in pair))
                ):
                    return picture
        return None

    turn = 0
    while pairs and len(asked) < count:
        for number, pair in enumerate(list(pairs)):
            if len(asked) == count:
                break
            picture = next_picture(pair, turn + number)
            if picture is None:
                pairs.remove(pair)
                continue
            done.add((picture.dataset, picture.image, pair))
            images[picture.dataset, picture.image] += 1
            scenes[picture.dataset, picture.scene] += 1
            first, second = (Side(name, picture.output(name)) for name in pair)
            asked.append(Asked(picture, (first, second), obvious=False))
        turn += 1
    return asked


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
