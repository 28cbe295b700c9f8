"""Samples made by drawing rain over clear pictures: each picture at each of the intensities asked for."""

from __future__ import annotations

from dataclasses import dataclass

from drivederain.data.drawn_rain import RainDrawing, RainMask, RainPicture
from drivederain.data.resize import size_label
from drivederain.data.sample import DataContext, Picture, Sample, Split
from drivederain.specs import INTENSITIES


@dataclass(frozen=True)
class ClearPicture:
    """A clear picture to draw rain on. ``key`` names it in the rain's seeds, ``image`` in the results."""

    key: str
    image: str
    scene: str
    picture: Picture
    size: int | None
    content: str
    source_file: str


def rain_samples(clear: ClearPicture, dataset: str, split: Split, context: DataContext) -> list[Sample]:
    """One sample an intensity, named ``<image>@<intensity>``; nothing is drawn yet."""
    samples = []
    for intensity in INTENSITIES:
        if intensity not in context.intensities:
            continue
        drawing = RainDrawing(clear.picture, context.seed, clear.key, intensity, context.cache)
        samples.append(
            Sample(
                dataset=dataset,
                split=split,
                image=f"{clear.image}@{intensity}",
                scene=clear.scene,
                rainy=RainPicture(drawing),
                clear=clear.picture,
                mask=RainMask(drawing),
                intensity=intensity,
                intensity_source="recorded",
                size=size_label(clear.size),
                content=clear.content,
                source_file=clear.source_file,
                parameters=drawing.known(),
                rain=drawing.facts,
            )
        )
    return samples
