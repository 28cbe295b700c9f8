"""The photographs that shipped weights are trained on, chosen by and scored on, in folders of links.

    python benchmarks/shipped_data.py PHOTOS --out FOLDER

PHOTOS holds clear road photographs, with MANIFEST.csv one level above. ``FOLDER/train`` gets those whose
``redistribution`` is ``redistributable``; every other group gets a folder of its name.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drivederain.data.content import content_of
from drivederain.data.pictures import FilePicture


@dataclass(frozen=True)
class Photo:
    """A photograph of the manifest; ``content`` is the SHA-256 that samples carry of it."""

    path: Path
    group: str
    source: str
    licence: str
    content: str


def clear_roads(folder: Path) -> list[dict[str, str]]:
    """The rows of the manifest one level above ``folder`` that are clear road photographs."""
    with (folder.parent / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["category"] == "clear_road"]


def redistributable(folder: Path) -> list[Photo]:
    """The clear road photographs that the manifest marks ``redistributable``."""
    photos = []
    for row in clear_roads(folder):
        if row["redistribution"] == "redistributable":
            path = folder.parent / row["file"]
            picture = FilePicture(path, hashlib.sha256(path.read_bytes()).hexdigest())
            content = content_of(picture.load()).sha256
            photos.append(Photo(path, row["group"], row["source"], row["licence"].split(" (")[0], content))
    return photos


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    counted: Counter[str] = Counter()
    for row in clear_roads(arguments.photos):
        name = "train" if row["redistribution"] == "redistributable" else row["group"].partition("_")[0]
        path = (arguments.photos.parent / row["file"]).resolve()
        link = arguments.out / name / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path)
        counted[name] += 1
    for name, count in sorted(counted.items()):
        print(f"{arguments.out / name}: {count} photographs")


if __name__ == "__main__":
    main()
