"""``images/manifest.jsonl`` of a run: which pictures lie in ``images/``, so that a later run need not open them.

A line a folder, sorted by folder: ``{"folder": "pairs/p001", "files": {"rainy.png": [source, bytes, mtime_ns], ...}}``.
``source`` names what the file was made of (a fingerprint, or the SHA-256 of an output), ``bytes`` and ``mtime_ns``
(nanoseconds since 1970) are the file's own. Old lines are read and new ones written as a run goes through its pictures
in the same order, so that memory does not grow with the run. New lines go to ``manifest.part.jsonl``; what a stopped
run left there is merged when the next one starts.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from drivederain.results.run_folder import atomic_file, folder_name

Files = Mapping[str, tuple[str, int, int]]
"""Source, bytes and time of change by file name."""


@dataclass(frozen=True)
class Entry:
    """What is known of one picture's folder."""

    folder: str
    """``<dataset>/<image>`` in ``images/``."""
    files: Files

    def line(self) -> bytes:
        return json.dumps({"folder": self.folder, "files": self.files}, sort_keys=True).encode("ascii") + b"\n"


class PictureManifest:
    """The manifest, gone through once in the order of the folders.

    with PictureManifest(images) as manifest:
        for folder in sorted(folders):
            before = manifest.take(folder)
            ...
            manifest.put(Entry(folder, files))
    """

    def __init__(self, images: Path) -> None:
        self._path, self._part = images / "manifest.jsonl", images / "manifest.part.jsonl"
        self.gone: list[Entry] = []
        """Entries of folders that were passed over: they are not of this run. To be emptied by who removes them."""

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._part.is_file():
            merged = heapq.merge(_entries(self._part), _entries(self._path), key=lambda entry: entry.folder)
            with atomic_file(self._path) as file:
                for _, same in groupby(merged, key=lambda entry: entry.folder):
                    first, *older = same
                    files = {name: known for entry in (*older, first) for name, known in entry.files.items()}
                    file.write(Entry(first.folder, files).line())
        self._old = _entries(self._path)
        self._next = next(self._old, None)
        self._new = self._part.open("wb")
        return self

    def take(self, folder: str) -> Files:
        """What is known of ``folder``, which comes after those asked for before."""
        while self._next is not None and self._next.folder < folder:
            self._pass_over()
        if self._next is None or self._next.folder != folder:
            return {}
        files = self._next.files
        self._next = next(self._old, None)
        return files

    def put(self, entry: Entry) -> None:
        """Note what lies in a folder now."""
        self._new.write(entry.line())

    def finish(self) -> None:
        """Pass over the entries that follow the last folder."""
        while self._next is not None:
            self._pass_over()

    def _pass_over(self) -> None:
        assert self._next is not None
        self.gone.append(self._next)
        self._next = next(self._old, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._old.close()
        self._new.close()
        if error is None:
            self._part.replace(self._path)


def _entries(path: Path) -> Generator[Entry, None, None]:
    """The entries of a manifest; what is damaged, or would lead out of the folder, is left out."""
    if not path.is_file():
        return
    with path.open("rb") as lines:
        for line in lines:
            try:
                record = json.loads(line)
                files = {str(name): (str(a), int(b), int(c)) for name, (a, b, c) in record["files"].items()}
                entry = Entry(str(record["folder"]), files)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            parts = entry.folder.split("/")
            if len(parts) == 2 and all(folder_name(part) == part for part in (*parts, *files)):
                yield entry
