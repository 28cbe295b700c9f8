"""Picture files after they were read once: proven to decode, with their content known."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from drivederain.data.content import Content, remembered_content
from drivederain.data.decode import UnusablePicture, decode
from drivederain.data.folders import Entry
from drivederain.data.pictures import FileMask, FilePicture, read_file
from drivederain.data.resize import effective_size
from drivederain.data.sample import Problem

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Found:
    """A usable picture file. ``name`` is what messages call it: its path relative to the data folder."""

    entry: Entry
    name: str
    sha256: str
    content: Content

    def effective_size(self, size: int | None) -> int | None:
        return effective_size(self.content.height, self.content.width, size)

    def picture(self, size: int | None) -> FilePicture:
        return FilePicture(self.entry.path, self.sha256, self.effective_size(size))

    def mask(self, size: int | None) -> FileMask:
        return FileMask(self.entry.path, self.sha256, self.effective_size(size))


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """``work`` of each item, in the items' order; decoding and hashing leave the interpreter's lock."""
    pool = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1))
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C what waits must not be done first


def find(entries: Sequence[Entry], cache: Path, inside: str = "") -> tuple[list[Found], list[Problem]]:
    """Decode each file, or remember that it was decoded before, in the order of ``entries``.

    Args:
        inside: prefix of the names in messages, such as ``rainy/``.
    """

    def look(entry: Entry) -> Found | Problem:
        name = f"{inside}{entry.relative}"
        try:
            data = read_file(entry.path, name)
            sha256 = hashlib.sha256(data).hexdigest()
            picture = FilePicture(entry.path, sha256)
            content = remembered_content(cache, picture.fingerprint, lambda: decode(data, name))
        except UnusablePicture as error:
            return Problem(error.file, error.reason)
        return Found(entry, name, sha256, content)

    looked = in_threads(look, entries)
    return [one for one in looked if isinstance(one, Found)], [one for one in looked if isinstance(one, Problem)]


def repeated(found: Iterable[tuple[str, str]]) -> list[Problem]:
    """A problem for each picture whose content another of the set has, from pairs of name and content."""
    first: dict[str, str] = {}
    problems = []
    for name, content in found:
        if content in first:
            problems.append(Problem(name, f"the same picture as {first[content]}; both are counted"))
        else:
            first[content] = name
    return problems
