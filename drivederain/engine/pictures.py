"""``images/`` of a run: inputs and truths as PNG, outputs linked from the cache, and thumbnails of all of them."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivederain.data.decode import UnusablePicture
from drivederain.data.png import decode_png, encode_png
from drivederain.data.sample import Picture, Problem, Sample
from drivederain.engine.cells import Cell, DamagedOutput
from drivederain.engine.picture_manifest import Entry, Files, PictureManifest
from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder, folder_name, write_atomically
from drivederain.results.thumbnails import MOST_TILES, NAME, VERSION, strip_of, tile_files

THREADS = min(4, os.cpu_count() or 1)
"""Pictures that are decoded and packed at a time."""


@dataclass
class NotStored:
    """What of a run's pictures could not be put into its folder; the others are there."""

    problems: list[Problem] = field(default_factory=list)
    """Pictures that cannot be read."""
    damaged: list[tuple[str, Sample]] = field(default_factory=list)
    """Method and sample of outputs that are missing from the cache or are not what was stored there."""


class RunPictures:
    """Puts the pictures of a run into its folder, and takes out those of an earlier run there.

    What lies there already, of the size and the time of change that the manifest says, is not opened. That is why the
    files need not be forced to the disk: what a loss of power damages is written again.
    """

    def __init__(self, run: RunFolder) -> None:
        self._images = run.path / "images"
        self._left: set[str] = set()
        """Data sets of which an earlier run left pictures."""

    def store(
        self,
        samples: Iterable[Sample],
        cells: Mapping[str, Cell],
        inputs: str = "",
        advance: Callable[[int], None] = lambda done: None,
    ) -> NotStored:
        """Write ``rainy.png``, ``clear.png`` and ``mask.png`` of each sample, and ``<method>.png`` of each output.

        Outputs are hard links where the file system allows, else copies; what they hold is checked when they are put
        there. Memory does not grow with the samples.

        Args:
            cells: by method, as it is called in the results.
            inputs: a method whose outputs are the rainy pictures themselves, which then need not be packed again.
            advance: told the number of samples that are done.
        """
        ordered = sorted(samples, key=self._folder)
        missing = NotStored()
        done = 0
        pool = ThreadPoolExecutor(THREADS)
        try:
            with PictureManifest(self._images) as manifest:
                for entries, found in _in_order(pool, self._tasks(ordered, manifest, cells, inputs)):
                    for entry in entries:
                        manifest.put(entry)
                    missing.problems += found.problems
                    missing.damaged += found.damaged
                    done += len(entries)
                    advance(done)
                    self._remove(manifest.gone)
                manifest.finish()
                self._remove(manifest.gone)
        finally:
            pool.shutdown(cancel_futures=True)
        for dataset in self._left:
            _remove_if_empty(self._images / dataset)
        return missing

    def _folder(self, sample: Sample) -> str:
        return f"{folder_name(sample.dataset)}/{folder_name(sample.image)}"

    def _tasks(
        self, ordered: Sequence[Sample], manifest: PictureManifest, cells: Mapping[str, Cell], inputs: str
    ) -> Iterator[Callable[[], _Stored]]:
        """A task for samples that lie together and share their truth, which is packed once."""
        for _, group in groupby(ordered, key=lambda each: each.clear.fingerprint if each.clear else each.image):
            known = [(sample, manifest.take(self._folder(sample))) for sample in group]
            yield lambda known=known: self._store(known, cells, inputs)  # type: ignore[misc]

    def _store(self, group: Sequence[tuple[Sample, Files]], cells: Mapping[str, Cell], inputs: str) -> _Stored:
        entries, missing, written = [], NotStored(), dict[str, Path]()
        for sample, known in group:
            folder = self._images / self._folder(sample)
            sources = _sources(sample, cells, inputs)
            present = _present(folder)
            files = {}
            for name, source in sources.items():
                there = present.pop(name, None)
                if there is None or known.get(name) != (source.name, *there):
                    try:
                        there = source.put(folder / name, written)
                    except DataError as error:
                        if isinstance(source, _Linked) and isinstance(error, DamagedOutput):
                            missing.damaged.append((source.method, sample))
                        else:
                            missing.problems.append(_problem(sample, error))
                        (folder / name).unlink(missing_ok=True)
                        continue
                written[source.name] = folder / name
                files[name] = (source.name, *there)
            tiles = tile_files([method for method in cells if method != inputs], sample.clear is not None)
            there, name = present.pop(NAME, None), _strip_name(tiles, files)
            if there is None or known.get(NAME) != (name, *there):
                there = _put_strip(folder, tiles, files)
            if there is not None:
                files[NAME] = (name, *there)
            for name in present:  # of an earlier run, or begun by one that was killed
                if name.endswith(".png") or name.startswith("."):
                    (folder / name).unlink()
            entries.append(Entry(self._folder(sample), files))
        return entries, missing

    def _remove(self, gone: list[Entry]) -> None:
        """Remove the pictures of folders that an earlier run left, and nothing else."""
        for entry in gone:
            folder = self._images / entry.folder
            for name in entry.files:
                (folder / name).unlink(missing_ok=True)
            _remove_if_empty(folder)
            self._left.add(folder.parent.name)
        gone.clear()


class _Packed:
    """A picture that is decoded, or drawn, and packed as PNG."""

    def __init__(self, picture: Picture) -> None:
        self.picture, self.name = picture, picture.fingerprint

    def put(self, path: Path, written: Mapping[str, Path]) -> tuple[int, int]:
        """Write the file and return its size in bytes and its time of change in nanoseconds."""
        if self.name in written:
            _link(written[self.name], path)
        else:
            write_atomically(path, encode_png(self.picture.load()), sync=False)
        return _measured(path)


class _Linked:
    """An output of ``method`` in the cache; ``name`` is what the manifest calls it."""

    def __init__(self, method: str, cell: Cell, picture: str, name: str) -> None:
        self.method, self.name = method, name
        self._cell, self._picture = cell, picture

    def put(self, path: Path, written: Mapping[str, Path]) -> tuple[int, int]:
        """As ``_Packed.put``.

        Raises:
            DamagedOutput: it is not in the cache, or not what was stored.
        """
        source = self._cell.path(self._picture)
        try:
            whole = hashlib.sha256(source.read_bytes()).hexdigest() == self._cell.outputs[self._picture].sha256
            if whole:
                _link(source, path)
        except FileNotFoundError:
            whole = False
        if not whole:
            raise DamagedOutput(self._cell.folder, self._picture)
        return _measured(path)


_Stored = tuple[list[Entry], NotStored]


def _sources(sample: Sample, cells: Mapping[str, Cell], inputs: str) -> dict[str, _Packed | _Linked]:
    """What each file of a sample is made of."""
    picture = sample.rainy.fingerprint
    sources: dict[str, _Packed | _Linked] = {}
    if inputs and picture in cells[inputs].outputs:
        sources["rainy.png"] = _Linked(inputs, cells[inputs], picture, picture)
    else:
        sources["rainy.png"] = _Packed(sample.rainy)
    for name, other in (("clear.png", sample.clear), ("mask.png", sample.drops)):
        if other is not None:
            sources[name] = _Packed(other)
    for method, cell in cells.items():
        output = cell.outputs.get(picture)
        if output is not None:
            sources[f"{folder_name(method)}.png"] = _Linked(method, cell, picture, output.sha256)
    return sources


def _strip_name(tiles: Sequence[str], files: Files) -> str:
    """What the manifest calls a strip: it is of these pictures, in this order."""
    parts = (VERSION, [(tile, files[tile][0] if tile in files else "") for tile in tiles])
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _put_strip(folder: Path, tiles: Sequence[str], files: Files) -> tuple[int, int] | None:
    """Write the thumbnails of what lies in ``folder``; its size in bytes and its time of change in nanoseconds.

    ``None`` without a rainy picture, or with more tiles than a strip holds: there is none then.
    """
    fits = len(tiles) <= MOST_TILES
    pictures = [_read(folder / tile) if fits and tile in files else None for tile in tiles]
    if pictures[0] is None:
        (folder / NAME).unlink(missing_ok=True)
        return None
    write_atomically(folder / NAME, strip_of(pictures), sync=False)
    return _measured(folder / NAME)


def _read(path: Path) -> NDArray[np.uint8] | None:
    try:
        return decode_png(path.read_bytes())
    except (DataError, OSError):  # changed since it was put there; a thumbnail is not worth the run
        return None


def _present(folder: Path) -> dict[str, tuple[int, int]]:
    """Size in bytes and time of change in nanoseconds of each file in ``folder``, which need not be there."""
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.stat(follow_symlinks=False) for entry in entries if not entry.is_dir()}
    except FileNotFoundError:
        return {}
    return {name: (status.st_size, status.st_mtime_ns) for name, status in found.items()}


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _measured(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _link(source: Path, target: Path) -> None:
    """Put the file ``source`` at ``target`` too, as a hard link where the file system allows, else as a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        write_atomically(target, source.read_bytes(), sync=False)


def _problem(sample: Sample, error: DataError) -> Problem:
    if isinstance(error, UnusablePicture):
        return Problem(error.file, error.reason)
    return Problem(sample.source_file or sample.image, str(error))


def _in_order(pool: ThreadPoolExecutor, tasks: Iterator[Callable[[], _Stored]]) -> Iterator[_Stored]:
    """The tasks' results in their order, with only a few under way."""
    waiting: deque[Future[_Stored]] = deque()
    for task in tasks:
        waiting.append(pool.submit(task))
        if len(waiting) > 2 * THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
