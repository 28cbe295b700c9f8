"""Rain drawn anew over the clear picture of a sample whose rain is drawn, for training: never the same drops twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivederain.data.drawn_rain import RainPicture
from drivederain.data.sample import Sample
from drivederain.rain import draw_rain


def has_drawn_rain(sample: Sample) -> bool:
    """Whether the rain of the sample is drawn by this program, so that it can be drawn anew."""
    return isinstance(sample.rainy, RainPicture)


def with_fresh_rain(sample: Sample, clear: NDArray[np.uint8], *, seed: int, name: str) -> NDArray[np.uint8]:
    """Rain of the sample's intensity over ``clear``, its clear picture at any size, H x W x 3.

    The seed and the name of the draw decide the rain together with the sample's own key. It is never kept.

    Raises:
        TypeError: the sample's rain was not drawn here.
    """
    if not isinstance(sample.rainy, RainPicture):
        raise TypeError(f"{sample.image}: its rain was not drawn here")
    drawing = sample.rainy.drawing
    return draw_rain(clear, seed=seed, key=f"{drawing.key}/{name}", intensity=drawing.intensity).rainy
