"""``scenes``: drawn street scenes with drawn rain. A smoke test that needs no photographs."""

from __future__ import annotations

import re
from functools import cached_property

from drivederain.data.content import remembered_content
from drivederain.data.drawn_scenes import ScenePicture
from drivederain.data.found import in_threads
from drivederain.data.options import chosen_options
from drivederain.data.rained import ClearPicture, rain_samples
from drivederain.data.resize import effective_size
from drivederain.data.sample import DataContext, Sample, SampleSet, Split
from drivederain.errors import DataError

DEFAULT_COUNT = 12
DEFAULT_HEIGHT, DEFAULT_WIDTH = 360, 640
_LOCATION = re.compile(r"(\d{1,6})(?:x(\d{2,5})x(\d{2,5}))?")
_SMALLEST, _LARGEST = 32, 8192

_FIRST_INDEX = {"all": 0, "test": 0, "train": 1_000_000, "val": 2_000_000}
"""Scenes are drawn by index; the ranges never meet, so train and test never share a scene."""
_SHARE_OF_TEST = {"all": 1.0, "test": 1.0, "train": 3.5, "val": 0.5}


class Scenes:
    """``scenes`` or ``scenes:COUNT[xHEIGHTxWIDTH]``: COUNT test scenes; train has 3.5 times as many others."""

    def __init__(self, location: str, context: DataContext) -> None:
        text = location.strip()
        match = _LOCATION.fullmatch(text) if text else None
        if text and (match is None or int(match[1]) == 0):
            raise DataError(f"--data scenes:{location}: write scenes, scenes:COUNT or scenes:COUNTxHEIGHTxWIDTH")
        self._count = int(match[1]) if match else DEFAULT_COUNT
        self._height = int(match[2]) if match and match[2] else DEFAULT_HEIGHT
        self._width = int(match[3]) if match and match[3] else DEFAULT_WIDTH
        if not all(_SMALLEST <= side <= _LARGEST for side in (self._height, self._width)):
            raise DataError(f"--data scenes:{location}: height and width go from {_SMALLEST} to {_LARGEST} pixels")
        chosen_options("scenes", context.options, {})
        self._context = context
        self.name = f"scenes:{text}" if text else "scenes"

    def sample_sets(self, split: Split) -> list[SampleSet]:
        """One set; ``all`` and ``test`` are the same scenes, ``train`` and ``val`` others."""
        context = self._context
        scenes = self._test_scenes if split in ("all", "test") else self._draw(split)
        if split in ("all", "test") and context.limit is not None:
            chosen = sorted(scenes, key=lambda scene: scene.content)[: context.limit]
            scenes = sorted(chosen, key=lambda scene: scene.image)
        samples: list[Sample] = []
        for scene in scenes:
            samples += rain_samples(scene, self.name, split, context)
        description = (
            f"{len(scenes)} drawn street scenes of {self._width}x{self._height} pixels with drawn rain, "
            f"seed {context.seed}: a smoke test that says little about photographs."
        )
        return [SampleSet(self.name, split, tuple(samples), has_truth=True, description=description)]

    @cached_property
    def _test_scenes(self) -> list[ClearPicture]:
        return self._draw("test")

    def _draw(self, split: Split) -> list[ClearPicture]:
        first, count = _FIRST_INDEX[split], max(1, int(self._count * _SHARE_OF_TEST[split] + 0.5))
        return in_threads(self._clear, range(first, first + count))

    def _clear(self, index: int) -> ClearPicture:
        context = self._context
        native = ScenePicture(context.seed, index, self._height, self._width, context.cache)
        size = effective_size(self._height, self._width, context.size)
        name = f"scene_{index:04d}"
        return ClearPicture(
            key=name,
            image=name,
            scene=name,
            picture=ScenePicture(context.seed, index, self._height, self._width, context.cache, size),
            size=size,
            content=remembered_content(context.cache, native.fingerprint, native.load).sha256,
            source_file=name,
        )
