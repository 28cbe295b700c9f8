"""Clear pictures as input: a method that takes off rain must leave a dry picture alone.

They are a test set of their own, so that no mean over rainy pictures ever holds one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivederain.data.fingerprint import fingerprint_of
from drivederain.data.sample import Picture, RainFacts, Sample, SampleSet

CLEAR: Final = "clear"
"""The intensity of clear input."""


@dataclass(frozen=True)
class NoDrops:
    """The drop mask of a clear picture, for methods that need one: 0 everywhere."""

    clear: Picture

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of("no drops", self.clear.fingerprint)

    def load(self) -> NDArray[np.uint8]:
        return np.zeros(self.clear.load().shape[:2], np.uint8)


def clear_inputs(sample_set: SampleSet, most: int) -> SampleSet:
    """At most so many clear pictures of a test set as their own input and truth, chosen by a hash of their content.

    The set is called ``<name> (clear input)``, its pictures ``<image>@clear``, with 8 digits of a hash of the content
    where two would have one name. Equal pixels are in it once. Methods that need a drop mask get one without drops.
    """
    name = f"{sample_set.name} (clear input)"
    once: dict[str, Sample] = {}
    for sample in sample_set.samples:
        if sample.clear is not None:
            once.setdefault(sample.content or sample.clear.fingerprint, sample)
    images = _images(once)
    chosen = sorted(once, key=lambda content: _hash(f"clear {content}"))[:most]
    samples = [_as_input(once[content], name, images[content]) for content in chosen]
    return SampleSet(
        name=name,
        split=sample_set.split,
        samples=tuple(sorted(samples, key=lambda sample: sample.image)),
        has_truth=True,
        description=f"Clear pictures of {sample_set.name} as they are, which a method should leave alone.",
        clear_input_of=sample_set.name,
    )


def _images(once: Mapping[str, Sample]) -> dict[str, str]:
    """A name for each content: ``road_1@clear`` of ``road_1@heavy``, unique whatever is chosen."""
    wanted = {}
    for content, sample in once.items():
        stem, at, ending = sample.image.rpartition("@")
        wanted[content] = f"{stem if at and ending == sample.intensity else sample.image}@{CLEAR}"
    times = Counter(name.casefold() for name in wanted.values())
    return {
        content: name if times[name.casefold()] == 1 else f"{name}-{_hash(content)[:8]}"
        for content, name in wanted.items()
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _as_input(sample: Sample, dataset: str, image: str) -> Sample:
    assert sample.clear is not None
    return replace(
        sample,
        dataset=dataset,
        image=image,
        rainy=sample.clear,
        mask=NoDrops(sample.clear) if sample.mask is not None else None,
        intensity=CLEAR,
        intensity_source="recorded",
        borderline=False,
        parameters={},
        rain=RainFacts,
    )
