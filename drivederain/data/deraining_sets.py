"""The test sets of deraining papers: how many pictures each has, and the layouts in which they are passed on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SIZES: Final = {
    "Test100": 98, "Rain100H": 100, "Rain100L": 100, "Test2800": 2800, "Test1200": 1200,
    "Rain200H": 200, "Rain200L": 200,
}  # fmt: skip
"""Pairs of each. Test100 has two fewer than its name says."""

INSIDE: Final = (
    ("input", "target"),
    ("rainy", "clear"),
    ("rainy", "clean"),
    ("rain", "norain"),
    ("rainy_image", "ground_truth"),
    ("rainy", "norain"),
)
"""Folders of the rainy pictures and of the clear ones: of MPRNet and Restormer first, then of the sets' own authors."""

TOGETHER: Final = ("rain-*.*", "rainy/rain-*.*")
"""Rainy pictures that lie with the clear ones, ``norain-*``, in one folder, or below it."""

_TOGETHER = re.compile(r"rain-(.+)")
_TWICE = re.compile(r"(.+?)x2")
_VARIANT = re.compile(r"(.+)_\d+")


@dataclass(frozen=True)
class DerainingSet:
    """One test set that was found. ``clear`` is ``rainy`` where both lie in one folder."""

    name: str
    rainy: Path
    clear: Path


def find_sets(root: Path) -> tuple[list[DerainingSet], list[Path]]:
    """The sets under ``root``, or ``root`` itself where it is one, in the order of ``SIZES``; and the folders that bear
    the name of a set and were not taken: of no layout that is known here, or the second of one set.

    A set lies in ``NAME``, ``test/NAME`` or ``NAME/test``; what is behind the name (``Rain200H_test20``) does not
    matter.
    """
    first: dict[str, DerainingSet] = {}
    left = []
    for folder in _candidates(root):
        name = _name_of(folder)
        if name is None:
            continue
        found = _set_in(folder, name)
        if found is None or name in first:
            left.append(folder)
        else:
            first[name] = found
    return [first[name] for name in SIZES if name in first], left


def clear_names(stem: str) -> tuple[str, ...]:
    """Stems that the clear picture of a rainy one may have.

    ``rain-001`` has ``norain-001``, beside it or, as ``rainy/rain-001``, in the folder above; ``norain-1x2`` has
    ``norain-1``, also as ``X2/norain-1x2`` (Rain100, Rain200); ``901_12`` has ``901`` (DDN, of which Test2800 is); all
    others have the same.
    """
    folder, slash, last = stem.rpartition("/")
    if together := _TOGETHER.fullmatch(last):
        clear = f"norain-{together[1]}"
        return (f"{folder}{slash}{clear}", clear) if slash else (clear,)
    if twice := _TWICE.fullmatch(last):
        clear = twice[1]
        return (stem, f"{folder}{slash}{clear}", clear) if slash else (stem, clear)
    if variant := _VARIANT.fullmatch(stem):
        return stem, variant[1]
    return (stem,)


def _candidates(root: Path) -> Iterator[Path]:
    yield root
    for parent in (root, root / "test"):
        if parent.is_dir():
            yield from sorted(path for path in parent.iterdir() if path.is_dir())


def _name_of(folder: Path) -> str | None:
    return next((each for each in SIZES if re.match(rf"{each}(?![A-Za-z0-9])", folder.resolve().name)), None)


def _set_in(folder: Path, name: str) -> DerainingSet | None:
    for inside in (folder, folder / "test"):
        for rainy, clear in INSIDE:
            if (inside / rainy).is_dir() and (inside / clear).is_dir():
                return DerainingSet(name, inside / rainy, inside / clear)
        # PReNet's authors pass the rainy ones on in a folder of their own, below the clear ones.
        if any(any(inside.glob(rainy)) for rainy in TOGETHER) and any(inside.glob("norain-*.*")):
            return DerainingSet(name, inside, inside)
    return None
