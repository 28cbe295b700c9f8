"""The film of drops too small to resolve: it scatters light over wide angles and lowers contrast."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain.scene import ScaledScene


@dataclass(frozen=True)
class Film:
    """``strength``: share of the light scattered, [0, 1). ``scattered``: H x W x 3, that light, already times the
    strength."""

    strength: float
    scattered: NDArray[np.float32]

    def apply(self, picture: NDArray[np.float32], first_row: int = 0) -> None:
        """Scatter the light of rows ``first_row`` and on of a picture (rows x W x 3, linear), in place."""
        picture *= np.float32(1 - self.strength)
        picture += self.scattered[first_row : first_row + len(picture)]


def make_film(strength: float, scene: ScaledScene, out: NDArray[np.float32]) -> Film:
    """The film over a photo of the size of ``out`` (H x W x 3), where its light is laid."""
    height, width = out.shape[:2]
    wide = cv2.GaussianBlur(scene.sixteenth, (0, 0), 1.5).reshape(scene.sixteenth.shape) * np.float32(strength)
    scattered = cv2.resize(wide, (width, height), dst=out, interpolation=cv2.INTER_LINEAR)
    return Film(strength, np.asarray(scattered, np.float32).reshape(out.shape))
