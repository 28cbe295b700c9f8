"""The loss terms by name, and what their weights and crops must be. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from drivederain.errors import OptionError
from drivederain.names import did_you_mean

TERMS: Final[Mapping[str, str]] = {
    "l1": "mean absolute difference",
    "charbonnier": "mean of sqrt(d^2 + 0.001^2): L1 with a rounded tip",
    "mse": "mean squared difference",
    "vgg": "mean absolute difference of VGG16 relu3_3 features",
    "ssim": "1 - SSIM, 11 x 11 Gaussian window",
    "ms_ssim": "1 - MS-SSIM, five scales",
    "edge": "Charbonnier loss of the Laplacians",
    "lpips": "learned perceptual distance on AlexNet, as in the benchmark",
    "frequency": "mean absolute difference of the Fourier spectra",
}
"""One line on each term, in the order in which terms are shown and logged."""

DEFAULT: Final[Mapping[str, float]] = {"l1": 1.0, "ssim": 0.2}

LEAST_CROP: Final[Mapping[str, int]] = {"vgg": 4, "ssim": 11, "ms_ssim": 161, "lpips": 31}
"""Shortest side, in pixels, that a term can be computed on; the others take any."""


def check_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """The weights as floats in the order of :data:`TERMS`; those of 0 stay, those that are not given are not added.

    Raises:
        ValueError: an unknown term, a weight that is negative, infinite or NaN, or none above 0.
    """
    for name, weight in weights.items():
        if name not in TERMS:
            raise ValueError(
                f"no loss term is called {name!r}.{did_you_mean(name, TERMS)} There are: {', '.join(TERMS)}"
            )
        if not math.isfinite(weight) or weight < 0:
            raise ValueError(f"the weight of the loss term {name} is {weight}; give a number of 0 or more")
    if not any(weights.values()):
        raise ValueError("no loss term has a weight above 0; give at least one, as in l1:1")
    return {name: float(weights[name]) for name in TERMS if name in weights}


def check_crop(term: str, side: int) -> None:
    """See that crops whose shorter side has ``side`` pixels are large enough for ``term``.

    Raises:
        OptionError: they are not; the message names the smallest crop.
    """
    least = LEAST_CROP.get(term, 1)
    if side < least:
        raise OptionError(
            f"the loss term {term} needs crops of at least {least} x {least} pixels, and these have a side of {side}: "
            f"choose larger crops, or take {term} out of the loss"
        )
