"""Small copies of the scene, in linear light: what drops show, and the light that fills the air."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ScaledScene:
    """``quarter`` and ``sixteenth``: copies (h x w x 3, at least 1 x 1) of a quarter and a sixteenth of the size.
    ``ambient``: mean colour, 3."""

    quarter: Floats
    sixteenth: Floats
    ambient: Floats


def shrink(picture: Floats, times: int) -> Floats:
    """The picture ``times`` smaller by the mean over areas, at least one pixel wide and high."""
    size = (max(1, picture.shape[1] // times), max(1, picture.shape[0] // times))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def scene_from_quarter(quarter: Floats) -> ScaledScene:
    """The small copies of a scene of which the quarter-size copy is given."""
    sixteenth = cv2.GaussianBlur(shrink(quarter, 4), (0, 0), 0.8).reshape(-1, max(1, quarter.shape[1] // 4), 3)
    ambient = sixteenth.reshape(-1, 3).mean(0, dtype=np.float64).astype(np.float32)
    return ScaledScene(quarter, sixteenth, ambient)


def airlight(scene: ScaledScene) -> Floats:
    """Colour of the light that haze scatters to the camera: the mean of the brightest two fifths of the scene."""
    colours = scene.sixteenth.reshape(-1, 3)
    luminance = colours.mean(1)
    bright = colours[luminance >= np.percentile(luminance, 60)]
    return np.asarray(bright.mean(0, dtype=np.float64), np.float32)
