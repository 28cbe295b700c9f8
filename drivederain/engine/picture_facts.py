"""The rows of ``pictures.parquet``: every tested picture, and how much it rains in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from drivederain.data.sample import RainFacts, Sample, SampleSet
from drivederain.errors import DataError


def picture_rows(sample_sets: Sequence[SampleSet]) -> Iterator[dict[str, Any]]:
    """One row a picture. What cannot be read any more is not known: the picture's own row of the results says why."""
    for sample_set in sample_sets:
        for sample in sample_set.samples:
            facts = _facts(sample)
            yield {
                "dataset": sample.dataset,
                "split": sample.split,
                "image": sample.image,
                "scene": sample.scene,
                "intensity": sample.intensity,
                "intensity_source": sample.intensity_source,
                "source_file": sample.source_file,
                "rain_rate_mm_h": _known(facts.rate_mm_h),
                "coverage": _known(facts.coverage),
            }


def _facts(sample: Sample) -> RainFacts:
    try:
        return sample.rain()
    except DataError:
        return RainFacts()


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
