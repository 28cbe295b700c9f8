"""Why a key was missed: which parts of two keys differ, and what that means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivederain.engine.cache.cell_files import chain_of, key_parts
from drivederain.engine.cache.layout import HASH, is_folder, listed
from drivederain.engine.keys import key_of
from drivederain.results.json_lines import canonical

_ABSENT = object()

_MEANINGS = {
    "engine": "the engine changed how it pads, tiles or rounds",
    "method": "another method",
    "method_version": "the method's plugin raised its version",
    "implementation": "the method's code lies elsewhere",
    "code": "the code of the method's plugin changed",
    "kind": "a stage became a refiner, or the other way round",
    "options": "other options",
    "weights": "other weights",
    "before": "another stage before it",
    "device": "another device: outputs may differ in the last bits",
    "precision": "another precision",
    "needs": "the method asks for its pictures in another way (padding, tile, channel order, 8-bit rule)",
    "threads": "another number of threads: sums are taken in another order",
    "batch": "other batches: outputs may differ in the last bits",
    "seed": "another --seed, and the method draws noise",
    "torch": "torch is another version: outputs may change",
    "drivederain": "this program is another version: outputs may change",
}

_SHOWN = 4
"""Differences that ``explain_miss`` names."""


@dataclass(frozen=True)
class Difference:
    """One part in which two keys differ, as text."""

    part: str
    """Nested parts with dots: ``before.weights``, ``options.steps``."""
    old: str
    new: str
    meaning: str

    def __str__(self) -> str:
        return f"{self.part} {self.old} -> {self.new}"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Every part in which two keys differ.

    A part of the stage before that changed together with, and as, the same part of the last stage is named once.
    """
    found: dict[str, Difference] = {}
    _compare((), _plain(old), _plain(new), found)
    return [each for part, each in found.items() if not _said_before(part, each, found)]


def explain_miss(cache: Path, parts: Mapping[str, Any]) -> str | None:
    """Why the cell with the key ``parts`` has to be computed, though its chain was before; one line.

    Compared is the cell of the same chain with the fewest differences, of those the one last used. ``None`` where the
    chain has no other cell with outputs, or the cell of ``parts`` has some.
    """
    plain, key, chain = _plain(parts), key_of(parts), chain_of(parts)
    nearest: tuple[int, float, list[Difference]] | None = None
    for folder, used in _cells(cache):
        if folder.name == key:
            return None
        other = key_parts(folder)
        if other is None or chain_of(other) != chain:
            continue
        found = differences(other, plain)
        if nearest is None or (len(found), -used) < nearest[:2]:
            nearest = (len(found), -used, found)
    if nearest is None or not nearest[2]:
        return None
    more = len(nearest[2]) - _SHOWN
    named = [str(each) for each in nearest[2][:_SHOWN]] + ([f"{more} more"] if more > 0 else [])
    return f"{chain} is computed anew: {', '.join(named)}"


def _cells(cache: Path) -> list[tuple[Path, float]]:
    """Folders of cells that have outputs, and when each was last used."""
    found = []
    for shard in filter(is_folder, listed(cache / "cells")):
        for folder in filter(is_folder, listed(shard)):
            path = Path(folder.path)
            if HASH.fullmatch(folder.name) and (path / "outputs.jsonl").is_file():
                try:
                    found.append((path, (path / "key.json").stat().st_mtime))
                except FileNotFoundError:  # unfinished, or taken out just now
                    continue
    return found


def _plain(parts: Mapping[str, Any]) -> dict[str, Any]:
    """As it would read in ``key.json``."""
    plain: dict[str, Any] = json.loads(canonical(parts))
    return plain


def _compare(
    path: tuple[str, ...], old: Mapping[str, Any], new: Mapping[str, Any], found: dict[str, Difference]
) -> None:
    for name in dict.fromkeys([*new, *old]):
        left, right = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if isinstance(left, dict) and isinstance(right, dict):
            _compare((*path, name), left, right, found)
        elif left is _ABSENT or right is _ABSENT or canonical(left) != canonical(right):
            part = ".".join((*path, name))
            found[part] = Difference(part, _shown(left), _shown(right), _meaning((*path, name)))


def _said_before(part: str, each: Difference, found: Mapping[str, Difference]) -> bool:
    shorter = part.removeprefix("before.")
    twin = found.get(shorter) if shorter != part and "." not in shorter else None
    return twin is not None and (twin.old, twin.new) == (each.old, each.new)


def _meaning(path: tuple[str, ...]) -> str:
    """By the first name that is not ``before``; ``before`` itself where the path is nothing else."""
    names = [name for name in path if name != "before"] or ["before"]
    behind = ", of the stage before it" if path[0] == "before" and len(path) > 1 else ""
    return f"{_MEANINGS.get(names[0], 'another value')}{behind}"


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "(not there)"
    if value is None or value == "":
        return "none"
    if isinstance(value, dict):
        return chain_of(value) if "method" in value else json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return value[:8] if HASH.fullmatch(value) else value
    return json.dumps(value, ensure_ascii=False)
