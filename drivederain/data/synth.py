"""What the ``synth`` command does: clear photos to rainy, clear and mask pictures that ``paired:`` reads."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivederain.data.drawn_rain import eight_bit_mask
from drivederain.data.folders import checked_folder, list_pictures
from drivederain.data.found import Found, find
from drivederain.data.image_names import image_names
from drivederain.data.png import encode_png
from drivederain.data.problems import settle
from drivederain.data.recorded_intensity import PARAMETERS
from drivederain.data.resize import size_label
from drivederain.data.sample import DataContext
from drivederain.errors import DataError
from drivederain.rain import draw_rain
from drivederain.specs import INTENSITIES, Intensity

Score = Callable[[NDArray[np.uint8], NDArray[np.uint8]], Mapping[str, float]]
"""Scores of a rainy picture against its clear one, both H x W x 3: ``{"psnr": 28.1, "ssim": 0.91}``."""


@dataclass(frozen=True)
class Drawn:
    """Progress: the picture just written, how many are done and how many there will be."""

    image: str
    done: int
    total: int


def write_synthetic(photos: str, out: Path, context: DataContext, score: Score) -> Iterator[Drawn]:
    """Draw rain over the photos of a folder and write ``rainy/``, ``clear/``, ``masks/`` and ``parameters.parquet``.

    Pictures are PNG of the name ``<photo>@<intensity>.png`` in all three folders, with ``night/0001`` as
    ``night--0001``. Masks are the soft drop masks. The same photos, seed and size give the pictures that
    ``synthetic:PHOTOS`` gives. Everything is written to a hidden folder beside ``out`` and renamed at the end, so
    ``out`` is whole or not there; closing the iterator early removes what was written.

    Args:
        photos: the folder, as typed.
        out: a folder that does not exist yet, or is empty.
        context: ``seed``, ``size``, ``intensities``, ``limit`` (photos) and ``skip_bad`` count.
        score: fills further columns of the table.

    Yields:
        one ``Drawn`` a picture, in the order of the table.

    Raises:
        DataError: ``out`` holds something, no usable photo, or bad photos without ``--skip-bad``.
    """
    folder = checked_folder(photos, "synth PHOTOS")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} already holds something: choose another --out, or remove it first")
    entries, listed = list_pictures(folder)
    found, undecodable = find(entries, context.cache)
    settle(listed + undecodable, context, str(folder))
    if not found:
        raise DataError(f"{folder}: none of its pictures can be used")
    names = image_names(photo.entry.stem for photo in found)
    if context.limit is not None:
        ranked = sorted(found, key=lambda photo: (photo.content.sha256, photo.entry.stem))
        found = sorted(ranked[: context.limit], key=lambda photo: photo.entry.stem)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    try:
        rows: list[dict[str, Any]] = []
        for row, drawn in _draw_all(found, names, partial, context, score):
            rows.append(row)
            yield drawn
        _write_table(partial / PARAMETERS, rows)
        partial.chmod(0o777 & ~_umask())
        if out.exists():
            out.rmdir()
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _draw_all(
    photos: Sequence[Found], names: Mapping[str, str], partial: Path, context: DataContext, score: Score
) -> Iterator[tuple[dict[str, Any], Drawn]]:
    for kind in ("rainy", "clear", "masks"):
        (partial / kind).mkdir()
    intensities = [intensity for intensity in INTENSITIES if intensity in context.intensities]
    jobs = [(photo, intensity) for photo in photos for intensity in intensities]

    def work(job: tuple[Found, Intensity]) -> dict[str, Any]:
        return _draw(job[0], job[1], names[job[0].entry.stem], partial, context, score)

    pool = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1))
    try:
        for done, row in enumerate(pool.map(work, jobs), start=1):
            yield row, Drawn(row["image"], done, len(jobs))
    finally:
        pool.shutdown(cancel_futures=True)


def _draw(
    photo: Found, intensity: Intensity, name: str, out: Path, context: DataContext, score: Score
) -> dict[str, Any]:
    clear = photo.picture(context.size).load()
    result = draw_rain(clear, seed=context.seed, key=photo.entry.stem, intensity=intensity)
    image = f"{name}@{intensity}"
    for kind, picture in (("rainy", result.rainy), ("clear", clear), ("masks", eight_bit_mask(result.soft))):
        (out / kind / f"{image}.png").write_bytes(encode_png(picture))
    head = {"image": image, "photo": photo.name, "size": size_label(photo.effective_size(context.size))}
    return {**head, **result.parameters.as_dict(), **score(clear, result.rainy)}


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)


def _umask() -> int:
    """The process's file mode mask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
