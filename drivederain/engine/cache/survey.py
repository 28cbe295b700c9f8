"""What lies in a cache: every cell with what it holds, and every other entry with its size and last use."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivederain.engine.cache.cell_files import chain_of, is_failure, key_parts, read_bytes, read_lines
from drivederain.engine.cache.layout import HASH, KINDS, TEMPORARY, Kind, check_is_cache, is_file, is_folder, listed

LEFT_BEHIND = 3600.0
"""Seconds after which a temporary file or an empty cell is no longer taken for one that is being written."""


@dataclass(frozen=True)
class Entry:
    """One thing that can be taken out by itself."""

    kind: Kind
    path: Path
    bytes: int
    used: float
    """When it was last used, in seconds since 1970; never later than now, even if a clock was."""


@dataclass(frozen=True)
class CellEntry(Entry):
    """One cell. Last used: when a run last touched its ``key.json``."""

    parts: Mapping[str, Any] | None
    """``key.json``; ``None`` where it is missing or damaged."""
    pictures: int
    failures: int
    """Pictures that failed and have no output."""
    scores: int

    @property
    def key(self) -> str:
        return self.path.name

    @property
    def chain(self) -> str:
        """As typed; "" where ``key.json`` does not tell."""
        return chain_of(self.parts)

    def part(self, name: str) -> str:
        """One part of the key as text; "" where there is none."""
        value = (self.parts or {}).get(name)
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Total:
    """How many entries of a kind there are, and their bytes."""

    count: int
    bytes: int


@dataclass
class Survey:
    """Everything in a cache."""

    cache: Path
    cells: list[CellEntry] = field(default_factory=list)
    """The last used first."""
    others: list[Entry] = field(default_factory=list)
    """Inputs, contents, strata, weights."""
    leftovers: list[Entry] = field(default_factory=list)
    """What killed processes left behind, older than an hour, and damaged weights that were put aside."""
    links: list[Path] = field(default_factory=list)
    """Symbolic links: never followed."""

    @property
    def entries(self) -> list[Entry]:
        return [*self.cells, *self.others]

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in (*self.entries, *self.leftovers))

    def totals(self) -> dict[str, Total]:
        """By kind, and ``leftovers``."""
        groups: dict[str, Iterable[Entry]] = {
            kind: [entry for entry in self.entries if entry.kind == kind] for kind in KINDS
        }
        groups["leftovers"] = self.leftovers
        return {
            name: Total(len(list(entries)), sum(entry.bytes for entry in entries)) for name, entries in groups.items()
        }


def survey(cache: Path) -> Survey:
    """Look through a cache. A folder that is not there is an empty cache.

    Raises:
        DataError: the folder is no cache.
        OSError: a folder in it cannot be read.
    """
    check_is_cache(cache)
    return _Walk(cache).found


class _Walk:
    def __init__(self, cache: Path) -> None:
        self.found, self.now = Survey(cache), time.time()
        self.kind: Kind = "cells"
        top = {entry.name: entry for entry in listed(cache)}
        for kind in KINDS:
            if kind in top:
                self.kind = kind
                for folder in self._real([top[kind]]):
                    self._top(folder)
        self.found.cells.sort(key=lambda cell: (-cell.used, cell.key))

    def _top(self, top: os.DirEntry[str]) -> None:
        for shard in filter(is_folder, self._real(listed(top)) if is_folder(top) else ()):
            for entry in self._real(listed(shard)):
                if self.kind in ("cells", "inputs"):
                    if is_folder(entry) and HASH.fullmatch(entry.name):
                        self._cell(entry) if self.kind == "cells" else self._input(entry)
                elif is_file(entry):
                    self._file(entry)

    def _real(self, entries: Iterable[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        """Without links, which are noted, and what a killed process left behind, which is too."""
        for entry in entries:
            if entry.is_symlink():
                self.found.links.append(Path(entry.path))
            elif TEMPORARY.fullmatch(entry.name):
                self._left_behind(entry)
            else:
                yield entry

    def _file(self, file: os.DirEntry[str]) -> None:
        ending = Path(file.name).suffix
        entry = Entry(self.kind, Path(file.path), *self._size_and_use(file))
        if ending == (".safetensors" if self.kind == "weights" else ".json"):
            self.found.others.append(entry)
        elif ending == ".damaged" and self.kind == "weights":
            self.found.leftovers.append(entry)

    def _input(self, folder: os.DirEntry[str]) -> None:
        sizes = [self._size_and_use(file) for file in self._inside(folder)]
        used = max((used for _, used in sizes), default=self._modified(folder))
        self.found.others.append(Entry("inputs", Path(folder.path), sum(size for size, _ in sizes), used))

    def _cell(self, folder: os.DirEntry[str]) -> None:
        path, size, used = Path(folder.path), 0, self._modified(folder)
        names, outputs = set(), set()
        for entry in self._real(listed(folder)):
            names.add(entry.name)
            if entry.name == "key.json":
                used = self._modified(entry)
            if is_file(entry):
                size += self._size_and_use(entry)[0]
                continue
            for file in self._inside(entry):
                size += self._size_and_use(file)[0]
                if entry.name == "pictures" and file.name.endswith(".png"):
                    outputs.add(file.name.removesuffix(".png"))
        if not outputs and not names - {"lock", "pictures"}:
            self._left_behind(folder)
            return
        failed = read_lines(path / "failures.jsonl", is_failure).good if "failures.jsonl" in names else ()
        last = {line["picture"]: line.get("status") != "ok" for _, line in failed}
        cell = CellEntry(
            kind="cells",
            path=path,
            bytes=size,
            used=used,
            parts=key_parts(path),
            pictures=len(outputs),
            failures=len({picture for picture, still in last.items() if still} - outputs),
            scores=read_bytes(path / "scores.jsonl").count(b"\n") if "scores.jsonl" in names else 0,
        )
        self.found.cells.append(cell)

    def _inside(self, folder: os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
        """All files below a folder."""
        for entry in self._real(listed(folder)):
            if is_folder(entry):
                yield from self._inside(entry)
            elif is_file(entry):
                yield entry

    def _left_behind(self, entry: os.DirEntry[str]) -> None:
        modified = self._modified(entry, limit=False)
        # Far in the future is as dead as far in the past: the clock was wrong when it was written.
        if modified and abs(self.now - modified) > LEFT_BEHIND:
            files = _below(entry) if is_folder(entry) and not HASH.fullmatch(entry.name) else [entry]
            size = sum(self._size_and_use(file)[0] for file in files if is_file(file))
            self.found.leftovers.append(Entry(self.kind, Path(entry.path), size, min(modified, self.now)))

    def _modified(self, entry: os.DirEntry[str], *, limit: bool = True) -> float:
        """When it was last written; 0 where it is gone by now."""
        try:
            modified = entry.stat(follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return 0.0
        return min(modified, self.now) if limit else modified

    def _size_and_use(self, entry: os.DirEntry[str]) -> tuple[int, float]:
        """Bytes, and when it was last written or read, as far as the file system tells; nothing where it is gone."""
        try:
            stat = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return 0, 0.0
        return stat.st_size, min(max(stat.st_mtime, stat.st_atime), self.now)


def _below(folder: os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
    for entry in listed(folder):
        if is_folder(entry):
            yield from _below(entry)
        elif is_file(entry):
            yield entry
