"""What the difference between a rainy picture and its clear one shows: the features of the pair estimator."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

DIFFERENCE_LEVELS = (0.03, 0.06, 0.12, 0.24)
"""Of the range [0, 1]: a pixel differs where |rainy - clear| of its most changed channel is above this."""

VEIL_SIGMA = 12.0
"""Pixels of the working picture: what changes more slowly than this is the veil of falling rain, not drops."""

KEPT_DETAIL_LEVELS = (0.3, 0.5, 0.7, 0.85)
"""A place has lost its detail where less than this part is kept, measured against what the picture keeps at best."""

DETAIL_SIGMA = 1.5
"""Pixels of the working picture: window in which the detail of the two pictures is compared, about a drop's radius."""

LEAST_DETAIL = 0.006
"""Of the range [0, 1]: root mean square detail of the clear picture under which nothing can be said to be lost."""

PSNR_CEILING = 60.0
"""dB given for identical pictures, whose PSNR is infinite."""

PAIR_FEATURE_NAMES = (
    *(f"coverage_{level}" for level in DIFFERENCE_LEVELS),
    *(f"coverage_without_veil_{level}" for level in DIFFERENCE_LEVELS[:3]),
    "input_psnr",
    *(f"detail_lost_{level}" for level in KEPT_DETAIL_LEVELS),
    "detail_kept",
)


def input_psnr(rainy: NDArray[np.float32], clear: NDArray[np.float32]) -> float:
    """PSNR in dB of two pictures in [0, 1], at most ``PSNR_CEILING``."""
    error = float(np.mean(np.square(rainy - clear, dtype=np.float64)))
    return min(PSNR_CEILING, -10 * float(np.log10(max(error, 1e-12))))


def kept_detail(rainy: NDArray[np.float32], clear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Part of the clear picture's detail that the rainy one keeps, wherever the clear one has detail.

    Light past a drop of opacity alpha keeps 1 - alpha of the detail behind it: the local regression slope of the
    rainy picture's detail on the clear one's. Unlike |rainy - clear|, it does not depend on the contrast of the scene.

    Args:
        rainy, clear: h x w x 3 float32 in [0, 1].

    Returns:
        n slopes (1: all kept), one for each pixel with enough detail; a single 1 for a picture with none.
    """
    fine_rainy, fine_clear = (
        plane - cv2.GaussianBlur(plane, (0, 0), 2 * DETAIL_SIGMA) for plane in (rainy.mean(axis=2), clear.mean(axis=2))
    )
    energy = cv2.GaussianBlur(fine_clear * fine_clear, (0, 0), DETAIL_SIGMA)
    common = cv2.GaussianBlur(fine_rainy * fine_clear, (0, 0), DETAIL_SIGMA)
    enough = energy > LEAST_DETAIL**2
    if not enough.any():
        return np.ones(1, np.float32)
    return np.asarray(common[enough] / energy[enough], dtype=np.float32)


def pair_features(rainy: NDArray[np.float32], clear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure one pair at working size.

    Args:
        rainy, clear: h x w x 3 float32 in [0, 1], of the same size.

    Returns:
        ``len(PAIR_FEATURE_NAMES)`` values: coverage of the difference at each level, the same after the slow part of
        the difference (the veil) is taken off, PSNR of the rainy picture in dB (of the working pictures), the part of
        the places with detail that lost it at each level, and the part of detail kept at best (90th percentile).
    """
    difference = rainy - clear
    change = np.abs(difference).max(axis=2)
    slow = cv2.GaussianBlur(difference, (0, 0), VEIL_SIGMA, borderType=cv2.BORDER_REFLECT_101)
    quick = np.abs(difference - slow).max(axis=2)
    kept = kept_detail(rainy, clear)
    best = max(float(np.percentile(kept, 90)), 0.05)
    values = [float((change > level).mean()) for level in DIFFERENCE_LEVELS]
    values += [float((quick > level).mean()) for level in DIFFERENCE_LEVELS[:3]]
    values.append(input_psnr(rainy, clear))
    values += [float((kept < level * best).mean()) for level in KEPT_DETAIL_LEVELS]
    values.append(best)
    return np.asarray(values, dtype=np.float32)
