"""Shards: a run cut into parts for machines that share nothing but a queue of jobs; ``merge`` joins them again.

A shard has all methods and some of the scenes. Pictures of one scene stay together, as intervals go by scene.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from drivederain.data.sample import SampleSet
from drivederain.errors import DataError, OptionError


@dataclass(frozen=True)
class Shard:
    """Part ``number`` (from 1) of ``count``."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """``2/8``.

        Raises:
            OptionError: anything else, or a part that there is none of.
        """
        number, _, count = (part.strip() for part in text.partition("/"))
        if not all(part.isascii() and part.isdigit() and int(part) for part in (number, count)):
            raise OptionError(f"--shard {text}: write which part of how many, as in 2/8")
        if int(number) > int(count):
            raise OptionError(f"--shard {text}: write a part from 1 to {int(count)}, as in 1/{int(count)}")
        return cls(int(number), int(count))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def part_of(sample_sets: Sequence[SampleSet], shard: Shard) -> list[SampleSet]:
    """The shard's part of the test sets; a set that has no scene in it is left out.

    All scenes are put into the order of a hash of their names and dealt in turn, so that parts differ by one scene at
    most, and which picture is in which part depends on nothing but the test sets and the number of parts. Clear
    pictures as input go with the pictures that they are of.

    Raises:
        DataError: there are fewer scenes than parts.
    """
    scenes = {(_origin(each), sample.scene) for each in sample_sets for sample in each.samples}
    if len(scenes) < shard.count:
        raise DataError(
            f"--shard {shard}: the test data has {len(scenes)} scenes, and a scene is not cut. "
            f"Give --shard {min(shard.number, len(scenes))}/{len(scenes)} or fewer parts."
        )
    dealt = set(sorted(scenes, key=_place)[shard.number - 1 :: shard.count])
    parts = [
        replace(each, samples=tuple(sample for sample in each.samples if (_origin(each), sample.scene) in dealt))
        for each in sample_sets
    ]
    return [part for part in parts if part.samples]


def _origin(sample_set: SampleSet) -> str:
    return sample_set.clear_input_of or sample_set.name


def _place(scene: tuple[str, str]) -> str:
    return hashlib.sha256("\0".join(scene).encode()).hexdigest()
