"""Rainy pictures and their clear partners, found by relative stem, across suffixes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


def same_or_without_intensity(stem: str) -> tuple[str, ...]:
    """Stems of clear pictures for ``a/b@heavy``: the same, and ``a/b``, so that one serves three intensities."""
    return stem, without_intensity(stem)


def find_pairs(
    rainy: Path,
    clear: Path,
    masks: Path | None,
    context: DataContext,
    partners: Callable[[str], Iterable[str]] = same_or_without_intensity,
) -> list[Pair]:
    """Pairs ordered by stem; problems are settled by ``--skip-bad``. A mask is optional for each picture.

    Args:
        rainy: the folder of the rainy pictures.
        clear: that of the clear ones; the same where both lie together, and only those rainy ones are taken that
            ``partners`` names another stem for.
        masks: that of the drop masks.
        context: what the user's command says about data.
        partners: the stems that the clear picture of a rainy one may have, with any suffix, the likeliest first.

    Raises:
        DataError: no usable pair; without ``--skip-bad`` also: a bad file, a missing partner, sizes that differ.
    """
    together = rainy == clear
    rainy_found, problems = _find(rainy, context, f"{rainy.name}/")
    clear_found, clear_problems = (rainy_found, []) if together else _find(clear, context, f"{clear.name}/")
    mask_found, mask_problems = _find(masks, context, f"{masks.name}/") if masks else ({}, [])
    problems += clear_problems + mask_problems
    if together:
        rainy_found = {stem: found for stem, found in rainy_found.items() if tuple(partners(stem)) != (stem,)}
        clear_found = {stem: found for stem, found in clear_found.items() if stem not in rainy_found}
    bad = {problem.file for problem in problems}
    broken = {_stem_in(clear.name, file) for file in bad}
    waiting = {name for file in bad if (stem := _stem_in(rainy.name, file)) for name in partners(stem)}

    pairs: list[Pair] = []
    used: set[str] = set()
    for stem, found in rainy_found.items():
        names = tuple(partners(stem))
        partner = next((name for name in names if name in clear_found), names[-1])
        pair = Pair(stem, found, clear_found.get(partner), mask_found.get(stem))
        used.add(partner)
        reason = _mismatch(pair, f"{clear.name}/{partner}")
        if reason is None:
            pairs.append(pair)
        elif pair.clear is not None or broken.isdisjoint(names):
            problems.append(Problem(found.name, reason))
    for stem, found in clear_found.items():
        if stem not in used | waiting:
            problems.append(Problem(found.name, f"it has no rainy partner {rainy.name}/{stem} with any suffix"))
    settle(problems, context, f"{rainy} and {clear}")
    if not pairs:
        raise DataError(f"{rainy} and {clear} hold no usable pair: partners have the same name without suffix")
    return pairs


def _find(folder: Path, context: DataContext, inside: str) -> tuple[dict[str, Found], list[Problem]]:
    entries, listed = list_pictures(folder, inside)
    found, undecodable = find(entries, context.cache, inside)
    return {one.entry.stem: one for one in found}, listed + undecodable


def _stem_in(folder: str, file: str) -> str:
    """The stem of a file that is listed as bad, below ``folder``; "" if it lies elsewhere. Its partner is no second
    problem.
    """
    stem = file.rpartition(".")[0]
    return stem.removeprefix(f"{folder}/") if stem.startswith(f"{folder}/") else ""


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
