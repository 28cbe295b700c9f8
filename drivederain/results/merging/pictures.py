"""``images/`` of a joined run: the parts' pictures as hard links, or copies, and thumbnails of all methods."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivederain.results.merging.comparable import Part
from drivederain.results.run_folder import RunFolder, folder_name, write_atomically
from drivederain.results.thumbnails import MOST_TILES, NAME, strip_of, tile_files

INPUTS = ("rainy.png", "clear.png", "mask.png")


def join_images(
    parts: Sequence[Part],
    into: RunFolder,
    pictures: Iterable[Mapping[str, Any]],
    methods: Sequence[str],
    reference: str,
    advance: Callable[[int], None] = lambda done: None,
) -> Counter[str]:
    """Put what the parts have of each picture into the folder; of two files of one name the first part's.

    Only files that a run writes are taken, under the names that this program gives them; links are not followed.

    Args:
        pictures: rows of ``pictures.parquet``.
        reference: the method that is the rainy input, which has no thumbnail of its own.
        advance: told the number of pictures that are done.

    Returns:
        Method -> its pictures that are there.
    """
    found: Counter[str] = Counter()
    files = {f"{folder_name(method)}.png": method for method in methods}
    drawn = [method for method in methods if method != reference]
    for number, row in enumerate(pictures, start=1):
        folder = into.image_folder(row["dataset"], row["image"])
        sources = [part.folder.image_folder(row["dataset"], row["image"]) for part in parts]
        for name in (*INPUTS, *files):
            source = next((path / name for path in sources if _is_file(path / name)), None)
            if source is not None:
                _put(source, folder / name)
                if name in files:
                    found[files[name]] += 1
        strips = [path / NAME for path in sources if _is_file(path / NAME)]
        if strips:
            truth = (folder / "clear.png").is_file()
            _put_strip(folder, tile_files(drawn, truth), strips[0] if _one_has_all(parts, methods) else None)
        advance(number)
    return found


def _one_has_all(parts: Sequence[Part], methods: Sequence[str]) -> bool:
    """Whether every part has the same methods, so that their strips stay as they are."""
    return all([method["name"] for method in part.about["methods"]] == list(methods) for part in parts)


def _put_strip(folder: Path, tiles: Sequence[str], ready: Path | None) -> None:
    if ready is not None:
        _put(ready, folder / NAME)
        return
    pictures = [_read(folder / tile) for tile in tiles] if len(tiles) <= MOST_TILES else [None]
    if pictures[0] is not None:
        write_atomically(folder / NAME, strip_of(pictures), sync=False)


def _read(path: Path) -> NDArray[np.uint8] | None:
    import cv2

    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None  # a thumbnail is not worth the run
    found = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    return None if found is None else found.astype(np.uint8, copy=False)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _put(source: Path, target: Path) -> None:
    """As a hard link where the file system allows, else as a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target, follow_symlinks=False)
