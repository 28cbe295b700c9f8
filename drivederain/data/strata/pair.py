"""The stratum of a pair: from its drop mask where there is one, else from what the rain changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivederain.data.strata.pair_features import PAIR_FEATURE_NAMES, pair_features
from drivederain.data.strata.stratum import SOFT_ALPHA, Stratum, stratum_of_coverage
from drivederain.data.strata.trees import load_trees
from drivederain.data.strata.working_picture import check_rgb, to_working_size
from drivederain.errors import DataError

MASK_MARGIN = 0.01
"""On the scale of sqrt coverage. A mask is measured, not estimated; only its pixel grid and edge rule are in doubt."""


def pair_intensity(
    rainy: NDArray[np.uint8], clear: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None
) -> Stratum:
    """Find how heavy the rain of a pair is.

    A mask decides alone, also an empty one (no drop). Without a mask, coverage is estimated from the covered part of
    |rainy - clear| at several levels and the PSNR of the rainy picture, by trees fitted to synthetic rain.

    Args:
        rainy, clear: H x W x 3 RGB, of one size.
        mask: H x W soft drop mask, 255 where a drop covers the pixel; a pixel counts above a quarter of that.

    Returns:
        A stratum of source ``pair``. Evidence: ``coverage``, ``distance_to_cut``, and with a mask ``mask_coverage``,
        else the pair features, ``input_psnr`` (dB, at working size) among them.

    Raises:
        DataError: sizes that differ, or pictures that are not 8-bit RGB.
    """
    check_rgb(rainy, "rainy")
    check_rgb(clear, "clear")
    if rainy.shape != clear.shape:
        raise DataError(
            f"a pair must be of one size, but rainy is {rainy.shape[:2]} and clear {clear.shape[:2]} (H, W)"
        )
    if mask is not None:
        return _from_mask(mask, rainy.shape[:2])
    features = pair_features(to_working_size(rainy), to_working_size(clear))
    trees = load_trees("pair_trees")
    root = float(np.clip(trees.predict(features[None])[0], 0, 1))
    evidence = dict(zip(PAIR_FEATURE_NAMES, (float(value) for value in features), strict=True))
    return stratum_of_coverage(root**2, trees.error, "pair", evidence)


def _from_mask(mask: NDArray[np.uint8], size: tuple[int, ...]) -> Stratum:
    if mask.dtype != np.uint8 or mask.shape != size:
        raise DataError(
            f"a drop mask must be 8-bit, one channel and of the size of its picture {size} (H, W), "
            f"not {mask.dtype} of shape {mask.shape}"
        )
    coverage = float((mask > 255 * SOFT_ALPHA).mean())
    return stratum_of_coverage(coverage, MASK_MARGIN, "pair", {"mask_coverage": coverage})
