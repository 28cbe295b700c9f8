"""What the shipped weights are trained on: redistributable photographs and drawn scenes, with drawn rain."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drivederain.data.content import content_of
from drivederain.data.drawn_rain import RainDrawing, RainPicture
from drivederain.data.drawn_scenes import ScenePicture
from drivederain.data.pictures import FilePicture
from drivederain.data.sample import Picture, Sample
from drivederain.specs import INTENSITIES, Intensity

SIZES = (360, 480, 640)
"""Shorter sides, so that drops of all sizes in pixels are seen."""
SCENE_SEED = 7919
"""Another than the embedded default's, whose scenes are for testing."""


@dataclass(frozen=True)
class Photo:
    """A photograph of the manifest; ``content`` is the SHA-256 that samples carry of it."""

    path: Path
    group: str
    source: str
    licence: str
    file_sha256: str
    content: str

    def picture(self, size: int | None = None) -> FilePicture:
        return FilePicture(self.path, self.file_sha256, size)


def redistributable(folder: Path) -> list[Photo]:
    """The clear road photographs that the manifest one level above ``folder`` marks ``redistributable``."""
    with (folder.parent / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["redistribution"] == "redistributable"]
    photos = []
    for row in rows:
        if row["category"] == "clear_road":
            path = folder.parent / row["file"]
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            content = content_of(FilePicture(path, sha256).load()).sha256
            photos.append(Photo(path, row["group"], row["source"], row["licence"].split(" (")[0], sha256, content))
    return photos


def training_samples(photos: Sequence[Photo], cache: Path, scenes: int, rains: int) -> list[Sample]:
    """Every photo at each size and intensity with ``rains`` seeds, and drawn scenes at one intensity each.

    Rain is drawn when it is first asked for and kept in ``cache``.
    """
    samples = []
    for photo in photos:
        for number, size in enumerate(SIZES):
            for seed in range(number, rains + number):
                samples += [
                    _sample(photo.path.stem, photo.picture(size), size, seed, intensity, photo.content, cache)
                    for intensity in INTENSITIES
                ]
    for index in range(scenes):
        height = SIZES[index % len(SIZES)]
        scene = ScenePicture(SCENE_SEED, index, height, height * 16 // 9, cache)
        intensity = INTENSITIES[index // len(SIZES) % len(INTENSITIES)]
        samples.append(_sample(f"scene_{index:03d}", scene, 0, 0, intensity, "", cache))
    return samples


def _sample(stem: str, clear: Picture, size: int, seed: int, intensity: Intensity, content: str, cache: Path) -> Sample:
    rainy = RainPicture(RainDrawing(clear, seed, f"{stem}/{size}/{seed}", intensity, cache))
    name = f"{stem}/{size}/{seed}@{intensity}"
    return Sample(
        "shipped", "train", name, stem, rainy, clear, None, intensity, "recorded", content=content, source_file=stem
    )


def sources(photos: Sequence[Photo]) -> list[dict[str, str | int]]:
    """What the photographs are, by group, for the model card."""
    counted = Counter((photo.group, photo.source, photo.licence) for photo in photos)
    return [
        {"group": group, "source": source, "licence": licence, "photographs": count}
        for (group, source, licence), count in sorted(counted.items())
    ]


def in_words(photos: Sequence[Photo], scenes: int) -> str:
    """One line that says what was trained on."""
    licences: dict[str, set[str]] = {}
    for photo in photos:
        licences.setdefault(photo.group, set()).add(photo.licence)
    groups = ", ".join(f"{group} {' and '.join(sorted(names))}" for group, names in sorted(licences.items()))
    drawn = f" and {scenes} drawn scenes" if scenes else ""
    return f"{len(photos)} redistributable road photographs ({groups}){drawn}, drawn rain"
