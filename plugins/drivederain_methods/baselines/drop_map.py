"""Where drops are in a single rainy picture: how much of it they cover is estimated, and the likeliest pixels taken."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.data.strata.photo import photo_intensity
from drivederain.data.strata.working_picture import to_working_size

FEATURES: Final = (
    "spot of 2", "spot of 4", "spot of 8", "bright spot of 2", "bright spot of 4", "bright spot of 8",
    "sharpness", "sharpness against around", "edge", "edge around", "darkest channel", "height",
)  # fmt: skip
WEIGHTS: Final[tuple[float, ...]] = (
    -3.705, -2.52, -0.652, -0.913, 2.898, -4.788, -7.079, 0.597, -4.644, 18.208, 2.035, -0.034,
)  # fmt: skip
"""Of the logistic regression, fitted by ``benchmarks/fit_drop_map.py`` on drawn rain over photographs."""


def drops_in(rainy: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The pixels of drops in a picture, H x W x 3 RGB.

    As many as the severity estimator says are covered (``photo_intensity``), those where ``likelihood`` is highest.
    """
    coverage = float(photo_intensity(rainy).evidence["coverage"])
    found = likelihood(rainy)
    if coverage <= 0:
        return np.zeros(rainy.shape[:2], bool)
    return np.asarray(found > np.quantile(found, 1 - coverage))


def likelihood(rainy: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How likely each pixel is of a drop, H x W, without a scale: the logit of the regression, less its constant."""
    logits = (features(rainy) @ np.array(WEIGHTS, np.float32)).astype(np.float32)
    height, width = rainy.shape[:2]
    return np.asarray(cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def features(rainy: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a drop is told by, at the working size of the severity estimator: h x w x 12, as ``FEATURES`` has them.

    A drop is a spot brighter or darker than what is around it, with soft edges, and without the detail that is around
    it: the camera looks through it, out of focus.
    """
    picture = to_working_size(rainy)
    light = picture.mean(2)
    smooth = {sigma: cv2.GaussianBlur(light, (0, 0), sigma) for sigma in (1, 2, 4, 8, 16, 32)}
    spots = [smooth[sigma] - smooth[4 * sigma] for sigma in (2, 4, 8)]
    sharpness = cv2.blur(np.abs(light - smooth[1]), (5, 5))
    around = cv2.blur(sharpness, (33, 33))
    down, across = np.gradient(smooth[2])
    edge = np.sqrt(down**2 + across**2)
    height = np.linspace(0, 1, len(light), dtype=np.float32)[:, None] * np.ones_like(light)
    return np.stack(
        [
            *(np.sqrt(np.abs(spot)) for spot in spots),
            *spots,
            np.sqrt(sharpness),
            np.log((sharpness + 1e-3) / (around + 1e-3)),
            np.sqrt(edge),
            np.sqrt(cv2.blur(edge, (9, 9))),
            picture.min(2),
            height,
        ],
        axis=2,
    ).astype(np.float32)
