"""Clear pictures as input: a method that takes off rain must leave a dry picture alone.

They are a test set of their own, so that no mean over rainy pictures ever holds one.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from drivederain.data.sample import RainFacts, Sample, SampleSet

CLEAR: Final = "clear"
"""The intensity of clear input."""


def clear_inputs(sample_set: SampleSet, most: int) -> SampleSet:
    """At most so many clear pictures of a test set as their own input and truth, chosen by a hash of their content.

    The set is called ``<name> (clear input)``, its pictures ``<image>@clear``; each clear picture is in it once, and
    there is no mask, as there are no drops.
    """
    name = f"{sample_set.name} (clear input)"
    once: dict[str, Sample] = {}
    for sample in sample_set.samples:
        if sample.clear is not None:
            once.setdefault(sample.clear.fingerprint, sample)
    chosen = sorted(once, key=lambda fingerprint: hashlib.sha256(f"clear {fingerprint}".encode()).digest())[:most]
    samples = [_as_input(once[fingerprint], name) for fingerprint in chosen]
    return SampleSet(
        name=name,
        split=sample_set.split,
        samples=tuple(sorted(samples, key=lambda sample: sample.image)),
        has_truth=True,
        description=f"Clear pictures of {sample_set.name} as they are, which a method should leave alone.",
        clear_input_of=sample_set.name,
    )


def _as_input(sample: Sample, dataset: str) -> Sample:
    assert sample.clear is not None
    stem, at, ending = sample.image.rpartition("@")
    return replace(
        sample,
        dataset=dataset,
        image=f"{stem if at and ending == sample.intensity else sample.image}@{CLEAR}",
        rainy=sample.clear,
        mask=None,
        intensity=CLEAR,
        intensity_source="recorded",
        borderline=False,
        parameters={},
        rain=RainFacts,
    )
