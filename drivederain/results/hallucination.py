"""Pictures that look better and are worse: what may have been made up.

LPIPS judges how natural a picture looks beside its truth, PSNR outside the drops how far pixels moved that needed no
restoring. A method that improves the first and worsens the second on the same picture may have painted what was not
there. It is a flag to look at the picture, not a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drivederain.results.statistics import REFERENCE, ScoreMatrix, score_matrix

if TYPE_CHECKING:
    import pandas as pd

LOOKS = ("image", "lpips", "alex")
FIDELITY = (("background", "psnr", "rgb"), ("image", "psnr", "rgb"))
"""Outside the drops where masks say where they are, else of the whole picture."""


@dataclass(frozen=True)
class Suspects:
    """The pictures of one method with the flag."""

    method: str
    images: tuple[str, ...]
    """By name."""
    n: int
    """Pictures that have both scores, of the method and of the rainy input."""
    region: str
    """Where fidelity was judged."""


def suspects(
    scores: pd.DataFrame, dataset: str, source: str, intensity: str, methods: Sequence[str], reference: str = REFERENCE
) -> list[Suspects]:
    """The flagged pictures of each method in one stratum, against ``reference``. Methods need both scores.

    ``scores`` is ``statistics.image_scores``; ``intensity`` may be ``all``.
    """
    looks = score_matrix(scores, dataset, source, intensity, *LOOKS)
    judged = ((place, score_matrix(scores, dataset, source, intensity, *place)) for place in FIDELITY)
    (region, *_), fidelity = next(((place, found) for place, found in judged if found.images), (("",), None))
    if fidelity is None or not looks.images:
        return []
    common = sorted(set(looks.images) & set(fidelity.images))
    better, worse = _gains(looks, common, -1, reference), _gains(fidelity, common, 1, reference)
    found = []
    for method in methods:
        if method == reference or method not in better or method not in worse:
            continue
        known = ~np.isnan(better[method]) & ~np.isnan(worse[method])
        if known.any():
            flagged = known & (better[method] > 0) & (worse[method] < 0)
            images = tuple(image for image, flag in zip(common, flagged, strict=True) if flag)
            found.append(Suspects(method, images, int(known.sum()), region))
    return found


def _gains(matrix: ScoreMatrix, images: Sequence[str], sign: int, reference: str) -> dict[str, NDArray[np.float64]]:
    """By method, over ``reference`` on these pictures; NaN where one is missing or both are infinite."""
    place = {image: number for number, image in enumerate(matrix.images)}
    own = matrix.values[[place[image] for image in images]]
    if reference not in matrix.methods:
        return {}
    base = own[:, matrix.methods.index(reference)]
    with np.errstate(invalid="ignore"):
        return {method: sign * (own[:, number] - base) for number, method in enumerate(matrix.methods)}
