"""What each stage of a chain added to the one before it, and how often it did harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drivederain.results.intervals import Estimate
from drivederain.results.statistics import ALL, image_scores, in_order, paired_differences, score_matrix

if TYPE_CHECKING:
    import pandas as pd

JOIN = "+"
"""Between the methods of a chain."""


@dataclass(frozen=True)
class StageGain:
    """A chain against the chain without its last method, on the pictures of one stratum that both have scores of."""

    dataset: str
    intensity_source: str
    intensity: str
    """Or ``all``."""
    chain: str
    before: str
    gain: Estimate
    """Of PSNR, dB, with its interval."""
    hurt: int
    """Pictures whose PSNR is lower than before. As many as not were left alone or gained."""


def stage_gains(results: pd.DataFrame, chains: Sequence[str] = ()) -> list[StageGain]:
    """The gains by PSNR (RGB, whole pictures) of all chains whose beginning was scored too.

    Args:
        results: a frame with the columns of ``statistics.COLUMNS``.
        chains: their order; those of the results by default.

    Returns:
        By data set, source of the intensity, chain and intensity (light, medium, heavy, others, ``all``).
    """
    wanted = (results["metric"] == "psnr") & (results["region"] == "image") & (results["variant"] == "rgb")
    scores = image_scores(results[wanted])
    there = set(scores["method"].unique())
    pairs = [
        (chain, before)
        for chain in dict.fromkeys([*chains, *sorted(there)])
        if (before := chain.rpartition(JOIN)[0]) in there and chain in there
    ]
    found = []
    strata = scores[["dataset", "intensity_source"]].drop_duplicates().itertuples(index=False)
    for dataset, source in strata:
        own = scores[(scores["dataset"] == dataset) & (scores["intensity_source"] == source)]
        for chain, before in pairs:
            for intensity in [*in_order(own["intensity"].unique()), ALL]:
                gain = _gain(own, str(dataset), str(source), intensity, chain, before)
                found += [gain] if gain.gain.n else []
    return found


def _gain(scores: pd.DataFrame, dataset: str, source: str, intensity: str, chain: str, before: str) -> StageGain:
    matrix = score_matrix(scores, dataset, source, intensity, "image", "psnr", "rgb")
    gain = paired_differences(matrix, chain, [before], (dataset, source, intensity))[before]
    here, there = matrix.of(chain), matrix.of(before)
    hurt = int(np.sum((here < there)[np.isfinite(here) & np.isfinite(there)]))
    return StageGain(dataset, source, intensity, chain, before, gain, hurt)
