"""The stratum of a rainy photo with nothing beside it: estimated visible-drop severity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivederain.data.strata.photo_features import photo_features
from drivederain.data.strata.stratum import Stratum, stratum_of_coverage
from drivederain.data.strata.trees import load_trees
from drivederain.data.strata.working_picture import check_rgb, to_working_size


def photo_intensity(rainy: NDArray[np.uint8]) -> Stratum:
    """Estimate how much of the windshield drops visibly cover: a severity, never a rain rate.

    Trees fitted to synthetic rain on road photographs and drawn scenes give sqrt coverage from the features of
    ``photo_features``; the cut points make it a stratum.

    Args:
        rainy: H x W x 3 RGB.

    Returns:
        A stratum of source ``estimated``. Evidence: ``coverage`` (estimated, 0 to 1) and ``distance_to_cut``.

    Raises:
        DataError: the picture is not 8-bit RGB.
    """
    check_rgb(rainy, "rainy")
    trees = load_trees("photo_trees")
    root = float(np.clip(trees.predict(photo_features(to_working_size(rainy))[None])[0], 0, 1))
    return stratum_of_coverage(root**2, trees.error, "estimated", {})
