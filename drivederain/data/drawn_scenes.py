"""Street scenes that the project draws, as pictures. Drawn once, then cached."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivederain.data.fingerprint import fingerprint_of
from drivederain.data.input_cache import CachedDrawing, Drawing
from drivederain.data.resize import resize_shorter
from drivederain.scenes import SCENES_VERSION, draw_scene


@dataclass(frozen=True)
class ScenePicture:
    """A drawn street scene of ``height`` x ``width``, shrunk to ``size`` where that is given."""

    seed: int
    index: int
    height: int
    width: int
    cache: Path
    size: int | None = None

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of("scene", self._native(), self.size)

    def load(self) -> NDArray[np.uint8]:
        return resize_shorter(CachedDrawing(self.cache, self._native()).picture("scene.png", self._draw), self.size)

    def _native(self) -> str:
        return fingerprint_of("native scene", SCENES_VERSION, self.seed, self.index, self.height, self.width)

    def _draw(self) -> Drawing:
        image = draw_scene(seed=self.seed, index=self.index, height=self.height, width=self.width).image
        return Drawing({"scene.png": image}, {"seed": self.seed, "index": self.index, "scenes_version": SCENES_VERSION})
