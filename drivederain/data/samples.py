"""Samples of pictures that were not drawn here: names, scenes, intensities, ``--intensity`` and ``--limit``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from drivederain.data.drawn_rain import facts_of
from drivederain.data.found import in_threads, repeated
from drivederain.data.intensity import KnownIntensity, estimated_intensity
from drivederain.data.pairs import Pair
from drivederain.data.problems import note
from drivederain.data.recorded_intensity import Recorded
from drivederain.data.resize import size_label
from drivederain.data.sample import DataContext, RainFacts, Sample, Split
from drivederain.errors import DataError
from drivederain.specs import INTENSITIES

_AT_A_TIME = 32
"""Estimates at a time, so that ``--limit`` with ``--intensity`` does not estimate a whole data set."""


class NoneOfTheIntensities(DataError):
    """There are pictures, but none of the intensities asked for."""


@dataclass(frozen=True)
class Collection:
    """Pairs, or photos, of one test set with what is known of each by stem."""

    dataset: str
    names: Mapping[str, str]
    scenes: Mapping[str, str]
    recorded: Mapping[str, Recorded]


def make_samples(
    pairs: Sequence[Pair], collection: Collection, split: Split, context: DataContext
) -> tuple[Sample, ...]:
    """Samples ordered by stem, of the intensities asked for, and of ``all`` and ``test`` at most ``--limit``.

    What the limit keeps is chosen by content hash. Pictures that are there twice are noted.

    Raises:
        NoneOfTheIntensities: no picture is of the intensities asked for.
    """
    limit = context.limit if split in ("all", "test") else None
    kept: dict[str, KnownIntensity] = {}
    passed_over: Counter[str] = Counter()
    ranked = sorted(pairs, key=lambda pair: (pair.content, pair.rainy.content.sha256, pair.stem))
    start = 0
    while start < len(ranked) and (limit is None or len(kept) < limit):
        batch = ranked[start : start + (_AT_A_TIME if limit is None else min(_AT_A_TIME, limit - len(kept)))]
        start += len(batch)
        for pair, known in zip(batch, in_threads(lambda pair: _known(pair, collection, context), batch), strict=True):
            if known.intensity in context.intensities:
                kept[pair.stem] = known
            else:
                passed_over[known.intensity] += 1
    if pairs and not kept:
        there = ", ".join(f"{passed_over[name]} {name}" for name in INTENSITIES if passed_over[name])
        raise NoneOfTheIntensities(
            f"{collection.dataset}: no picture is {' or '.join(context.intensities)}; there are {there}"
        )
    chosen = [pair for pair in sorted(pairs, key=lambda pair: pair.stem) if pair.stem in kept]
    for problem in repeated((pair.rainy.name, f"{pair.content} {pair.rainy.content.sha256}") for pair in chosen):
        note(context, problem)
    return tuple(_sample(pair, kept[pair.stem], collection, split, context) for pair in chosen)


def _known(pair: Pair, collection: Collection, context: DataContext) -> KnownIntensity:
    recorded = collection.recorded.get(pair.stem)
    if recorded is not None:
        return KnownIntensity(recorded.intensity, "recorded", borderline=False, coverage=math.nan)
    return estimated_intensity(pair.rainy, pair.clear, pair.mask, context.cache)


def _sample(pair: Pair, known: KnownIntensity, collection: Collection, split: Split, context: DataContext) -> Sample:
    recorded = collection.recorded.get(pair.stem)
    return Sample(
        dataset=collection.dataset,
        split=split,
        image=collection.names[pair.stem],
        scene=collection.scenes[pair.stem],
        rainy=pair.rainy.picture(context.size),
        clear=pair.clear.picture(context.size) if pair.clear else None,
        mask=pair.mask.mask(context.size) if pair.mask else None,
        intensity=known.intensity,
        intensity_source=known.source,
        borderline=known.borderline,
        size=size_label(pair.rainy.effective_size(context.size)),
        content=pair.content,
        source_file=pair.rainy.name,
        parameters=recorded.parameters if recorded else {},
        rain=partial(facts_of, recorded.parameters) if recorded else partial(RainFacts, coverage=known.coverage),
    )
