"""Rainy pictures and their clear partners, found by relative stem, across suffixes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drivederain.data.folders import list_pictures
from drivederain.data.found import Found, find
from drivederain.data.problems import settle
from drivederain.data.sample import DataContext, Problem
from drivederain.data.scene_names import without_intensity
from drivederain.errors import DataError


@dataclass(frozen=True)
class Pair:
    """A rainy picture with its clear one (``None``: a photo without truth) and its drop mask where there is one."""

    stem: str
    rainy: Found
    clear: Found | None = None
    mask: Found | None = None

    @property
    def content(self) -> str:
        """Of the clear picture, of the rainy one without truth."""
        return (self.clear or self.rainy).content.sha256


def find_photos(folder: Path, context: DataContext) -> list[Pair]:
    """Rainy photos without truth, ordered by stem; problems are settled by ``--skip-bad``.

    Raises:
        DataError: no usable photo, or bad files without ``--skip-bad``.
    """
    photos, problems = _find(folder, context, "")
    settle(problems, context, str(folder))
    if not photos:
        raise DataError(f"{folder}: none of its pictures can be used")
    return [Pair(stem, found) for stem, found in photos.items()]


def find_pairs(rainy: Path, clear: Path, masks: Path | None, context: DataContext) -> list[Pair]:
    """Pairs ordered by stem; problems are settled by ``--skip-bad``.

    The partner of ``a/b.png`` is ``a/b`` with any suffix; of ``a/b@heavy.png`` also ``a/b``, so that one clear picture
    serves three intensities. A mask is optional for each picture.

    Raises:
        DataError: no usable pair; without ``--skip-bad`` also: a bad file, a missing partner, sizes that differ.
    """
    rainy_found, problems = _find(rainy, context, f"{rainy.name}/")
    clear_found, clear_problems = _find(clear, context, f"{clear.name}/")
    mask_found, mask_problems = _find(masks, context, f"{masks.name}/") if masks else ({}, [])
    problems += clear_problems + mask_problems
    bad = {problem.file for problem in problems}

    pairs: list[Pair] = []
    used: set[str] = set()
    for stem, found in rainy_found.items():
        partner = stem if stem in clear_found else without_intensity(stem)
        pair = Pair(stem, found, clear_found.get(partner), mask_found.get(stem))
        used.add(partner)
        reason = _mismatch(pair, f"{clear.name}/{partner}")
        if reason is None:
            pairs.append(pair)
        elif not (pair.clear is None and _names(bad, clear.name, partner)):
            problems.append(Problem(found.name, reason))
    for stem, found in clear_found.items():
        if stem not in used and not _names(bad, rainy.name, stem):
            problems.append(Problem(found.name, f"it has no rainy partner {rainy.name}/{stem} with any suffix"))
    settle(problems, context, f"{rainy} and {clear}")
    if not pairs:
        raise DataError(f"{rainy} and {clear} hold no usable pair: partners have the same name without suffix")
    return pairs


def _find(folder: Path, context: DataContext, inside: str) -> tuple[dict[str, Found], list[Problem]]:
    entries, listed = list_pictures(folder, inside)
    found, undecodable = find(entries, context.cache, inside)
    return {one.entry.stem: one for one in found}, listed + undecodable


def _names(files: set[str], folder: str, stem: str) -> bool:
    """A file of this stem is among those already listed as bad; its partner is then no second problem."""
    return any(file.rpartition(".")[0] == f"{folder}/{stem}" for file in files)


def _mismatch(pair: Pair, expected: str) -> str | None:
    if pair.clear is None:
        return f"it has no clear partner {expected} with any suffix"
    partners: Mapping[str, Found | None] = {"clear partner": pair.clear, "mask": pair.mask}
    own = pair.rainy.content
    for kind, other in partners.items():
        if other is not None and (other.content.height, other.content.width) != (own.height, own.width):
            theirs = other.content
            return f"it is {own.width}x{own.height}, its {kind} {other.name} {theirs.width}x{theirs.height} pixels"
    return None
