"""Train, val and test parts: by hash, so that names, order and machine do not matter, and scene by scene."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from drivederain.errors import DataError

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")

SHARES = (70, 10, 20)
V40_SHARES = (1200, 150, 200)


@dataclass(frozen=True)
class Splittable:
    """A picture as the splits see it: its stem, its scene and the SHA-256 of its pixels."""

    stem: str
    scene: str
    content: str


def counts(total: int, shares: tuple[int, int, int]) -> tuple[int, int, int]:
    """How many of ``total`` go to train, val and test.

    Train and val are rounded, test gets what is left. Test and train have at least one each, val too from three on.
    """
    whole = sum(shares)
    train, val = (int(total * share / whole + 0.5) for share in shares[:2])
    train = min(max(train, 1), total - min(2, total - 1))
    val = min(max(val, 1), total - train - 1)
    return train, val, total - train - val


def split_by_scene(pictures: Collection[Splittable], where: str) -> dict[str, Part]:
    """70/10/20 of the scenes, ranked by a hash of the contents of their pictures.

    Scenes that share a picture (by content) are one for this purpose, so no picture is in two parts.

    Args:
        where: the folder, for messages.

    Returns:
        The part of each stem.

    Raises:
        DataError: all pictures are of one scene.
    """
    groups = _groups(pictures)
    if len(groups) < 2:
        raise DataError(
            f"{where}: its {len(pictures)} picture(s) are of one scene and cannot be split into train and test. "
            "Give more scenes, train on another folder with --train-data, or use methods that have weights."
        )
    ranked = sorted(groups, key=lambda group: _hash(*sorted(picture.content for picture in group)))
    parts = zip(ranked, _parts(len(ranked), SHARES), strict=True)
    return {picture.stem: part for group, part in parts for picture in group}


def split_stems(stems: Collection[str], shares: tuple[int, int, int], where: str) -> dict[str, Part]:
    """The stems ranked by their hash and cut into parts in proportion to ``shares``.

    Raises:
        DataError: fewer than two stems.
    """
    if len(stems) < 2:
        raise DataError(f"{where} holds {len(stems)} pair(s): too few to split into train and test")
    return dict(zip(ranked_by_hash(stems), _parts(len(stems), shares), strict=True))


def ranked_by_hash(names: Iterable[str]) -> list[str]:
    """Names in the order of their SHA-256: a draw that only depends on the names."""
    return sorted(names, key=_hash)


def check_disjoint(parts: Mapping[Part, Collection[tuple[str, str]]]) -> list[tuple[str, str, Part]]:
    """Pictures of train or val whose content is also in a later part.

    Args:
        parts: pairs of name and content of each part.

    Returns:
        Name of the earlier picture, name of the later, part of the earlier.
    """
    found: list[tuple[str, str, Part]] = []
    later: dict[str, str] = {}
    for part in reversed(PARTS):
        found += [(name, later[content], part) for name, content in parts.get(part, ()) if content in later]
        for name, content in parts.get(part, ()):
            later.setdefault(content, name)
    return found


def _parts(total: int, shares: tuple[int, int, int]) -> list[Part]:
    return [part for part, count in zip(PARTS, counts(total, shares), strict=True) for _ in range(count)]


def _groups(pictures: Collection[Splittable]) -> list[list[Splittable]]:
    """Pictures joined by scene or content, by union-find."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for picture in pictures:
        parent[root(("scene", picture.scene))] = root(("content", picture.content))
    groups: dict[tuple[str, str], list[Splittable]] = {}
    for picture in pictures:
        groups.setdefault(root(("scene", picture.scene)), []).append(picture)
    return list(groups.values())


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()
