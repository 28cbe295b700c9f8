"""Folds of the training scenes, for estimates by stages that have not seen the scene (cross-fitting)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from drivederain.data.sample import Sample
from drivederain.errors import DataError


@dataclass(frozen=True)
class Folds:
    """``count`` parts of about as many scenes each; by the names of data set and scene, whatever their order."""

    count: int
    of_scene: Mapping[tuple[str, str], int]

    def of(self, sample: Sample) -> int:
        """The fold of a training sample, from 0."""
        return self.of_scene[sample.dataset, sample.scene]


def folds_of(samples: Iterable[Sample], count: int) -> Folds:
    """Deal the scenes of ``samples`` out to ``count`` folds; scenes that share a picture are one.

    Raises:
        DataError: there are fewer scenes than folds.
    """
    group: dict[tuple[str, str], tuple[str, str]] = {}
    first: dict[str, tuple[str, str]] = {}

    def root(scene: tuple[str, str]) -> tuple[str, str]:
        while group[scene] != scene:
            scene = group[scene]
        return scene

    for sample in samples:
        scene = (sample.dataset, sample.scene)
        group.setdefault(scene, scene)
        if sample.content:
            ends = sorted((root(scene), root(first.setdefault(sample.content, scene))))
            group[ends[1]] = ends[0]
    roots = sorted({root(scene) for scene in group}, key=_hash)
    if len(roots) < count:
        raise DataError(f"--folds {count}: the training data has {len(roots)} scenes. Give at most as many folds.")
    place = {scene: number % count for number, scene in enumerate(roots)}
    return Folds(count, {scene: place[root(scene)] for scene in group})


def _hash(scene: tuple[str, str]) -> str:
    return hashlib.sha256("\n".join(scene).encode()).hexdigest()
