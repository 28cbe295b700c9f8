"""``images/`` of a run: inputs and truths as PNG, outputs linked from the cache."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from drivederain.data.decode import UnusablePicture
from drivederain.data.png import encode_png
from drivederain.data.sample import Picture, Problem, Sample
from drivederain.engine.cells import Cell
from drivederain.engine.picture_manifest import Entry, Files, PictureManifest
from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder, folder_name, write_atomically

THREADS = min(4, os.cpu_count() or 1)
"""Pictures that are decoded and packed at a time."""


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
        inputs: Cell | None = None,
        advance: Callable[[int], None] = lambda done: None,
    ) -> list[Problem]:
        """Write ``rainy.png``, ``clear.png`` and ``mask.png`` of each sample, and ``<method>.png`` of each output.

        Outputs are hard links where the file system allows, else copies. Memory does not grow with the samples.

        Args:
            cells: by method, as it is called in the results.
            inputs: a cell whose outputs are the rainy pictures themselves, which need not be packed again.
            advance: told the number of samples that are done.

        Returns:
            Pictures that could not be read or linked, each with the reason; they are left out and the others stored.
        """
        ordered = sorted(samples, key=self._folder)
        problems: list[Problem] = []
        done = 0
        pool = ThreadPoolExecutor(THREADS)
        try:
            with PictureManifest(self._images) as manifest:
                for entries, found in _in_order(pool, self._tasks(ordered, manifest, cells, inputs)):
                    for entry in entries:
                        manifest.put(entry)
                    problems += found
                    done += len(entries)
                    advance(done)
                    self._remove(manifest.gone)
                manifest.finish()
                self._remove(manifest.gone)
        finally:
            pool.shutdown(cancel_futures=True)
        for dataset in self._left:
            _remove_if_empty(self._images / dataset)
        return problems

    def _folder(self, sample: Sample) -> str:
        return f"{folder_name(sample.dataset)}/{folder_name(sample.image)}"

    def _tasks(
        self, ordered: Sequence[Sample], manifest: PictureManifest, cells: Mapping[str, Cell], inputs: Cell | None
    ) -> Iterator[Callable[[], tuple[list[Entry], list[Problem]]]]:
        """A task for samples that lie together and share their truth, which is packed once."""
        for _, group in groupby(ordered, key=lambda each: each.clear.fingerprint if each.clear else each.image):
            known = [(sample, manifest.take(self._folder(sample))) for sample in group]
            yield lambda known=known: self._store(known, cells, inputs)  # type: ignore[misc]

    def _store(
        self, group: Sequence[tuple[Sample, Files]], cells: Mapping[str, Cell], inputs: Cell | None
    ) -> tuple[list[Entry], list[Problem]]:
        entries, problems, written = [], [], dict[str, Path]()
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
                        problems.append(_problem(sample, error))
                        (folder / name).unlink(missing_ok=True)
                        continue
                written[source.name] = folder / name
                files[name] = (source.name, *there)
            for name in present:  # of an earlier run, or begun by one that was killed
                if name.endswith(".png") or name.startswith("."):
                    (folder / name).unlink()
            entries.append(Entry(self._folder(sample), files))
        return entries, problems

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
    """An output in the cache."""

    def __init__(self, cell: Cell, picture: str, name: str) -> None:
        self.path, self.name = cell.path(picture), name

    def put(self, path: Path, written: Mapping[str, Path]) -> tuple[int, int]:
        """As ``_Packed.put``."""
        try:
            _link(self.path, path)
        except FileNotFoundError as error:
            raise UnusablePicture(str(self.path), "it is no longer in the cache") from error
        return _measured(path)


def _sources(sample: Sample, cells: Mapping[str, Cell], inputs: Cell | None) -> dict[str, _Packed | _Linked]:
    """What each file of a sample is made of."""
    picture = sample.rainy.fingerprint
    sources: dict[str, _Packed | _Linked] = {}
    if inputs is not None and picture in inputs.outputs:
        sources["rainy.png"] = _Linked(inputs, picture, picture)
    else:
        sources["rainy.png"] = _Packed(sample.rainy)
    for name, other in (("clear.png", sample.clear), ("mask.png", sample.mask)):
        if other is not None:
            sources[name] = _Packed(other)
    for method, cell in cells.items():
        output = cell.outputs.get(picture)
        if output is not None:
            sources[f"{folder_name(method)}.png"] = _Linked(cell, picture, output.sha256)
    return sources


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


def _in_order(
    pool: ThreadPoolExecutor, tasks: Iterator[Callable[[], tuple[list[Entry], list[Problem]]]]
) -> Iterator[tuple[list[Entry], list[Problem]]]:
    """The tasks' results in their order, with only a few under way."""
    waiting: deque[Future[tuple[list[Entry], list[Problem]]]] = deque()
    for task in tasks:
        waiting.append(pool.submit(task))
        if len(waiting) > 2 * THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
