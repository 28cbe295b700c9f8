"""``images/`` of a run: inputs and truths as PNG, outputs linked from the cache."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from drivederain.data.png import encode_png
from drivederain.data.sample import Sample
from drivederain.engine.cells import Cell
from drivederain.results.run_folder import RunFolder, write_atomically

SOURCES = "sources.json"
"""Beside the pictures: their fingerprints, so that a second run does not write them again."""


def store_inputs(run: RunFolder, sample: Sample) -> None:
    """Write ``rainy.png``, ``clear.png`` and ``mask.png`` unless they are there already."""
    folder = run.image_folder(sample.dataset, sample.image)
    pictures = {"rainy": sample.rainy, "clear": sample.clear, "mask": sample.mask}
    wanted = {name: picture.fingerprint for name, picture in pictures.items() if picture is not None}
    sources = folder / SOURCES
    if sources.is_file() and _read(sources) == wanted and all((folder / f"{name}.png").is_file() for name in wanted):
        return
    for name, picture in pictures.items():
        if picture is not None:
            write_atomically(folder / f"{name}.png", encode_png(picture.load()))
        else:
            (folder / f"{name}.png").unlink(missing_ok=True)  # of an earlier run of that name on other data
    write_atomically(sources, json.dumps(wanted, sort_keys=True).encode())


def link_outputs(run: RunFolder, method: str, cell: Cell, samples: Iterable[Sample]) -> None:
    """Put a chain's outputs into the run's folder: as hard links where the file system allows, else as copies."""
    for sample in samples:
        target = run.output_png(sample.dataset, sample.image, method)
        target.parent.mkdir(parents=True, exist_ok=True)
        if cell.has(sample.rainy.fingerprint):
            _link(cell.path(sample.rainy.fingerprint), target)
        else:
            target.unlink(missing_ok=True)  # of an earlier run, when it did not fail


def _link(source: Path, target: Path) -> None:
    if target.is_file() and target.samefile(source):
        return
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
