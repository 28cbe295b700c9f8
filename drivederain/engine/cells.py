"""The cache of cells: a cell is one chain prefix; its outputs lie in it by the fingerprint of the rainy picture.

    <cache>/cells/<key[:2]>/<key>/
        key.json        everything that the key is the hash of
        outputs.jsonl   one line a finished picture: fingerprint, SHA-256 of the PNG, milliseconds, size, batch, when
        failures.jsonl  one line a picture that the method failed on
        scores.jsonl    one line a score: its key and the value of each region
        facts.json      what the loaded method said of itself, and the peak memory
        pictures/<fingerprint>.png

A picture's line is written after its PNG was renamed into place, so what has a line is whole. Files only grow; a last
line cut off by a crash is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivederain.data.png import decode_png, encode_png
from drivederain.engine.keys import canonical, key_of
from drivederain.errors import DataError
from drivederain.results.run_folder import write_atomically
from drivederain.results.schema import Status


@dataclass(frozen=True)
class Output:
    """A restored picture in the cache."""

    picture: str
    sha256: str
    milliseconds: float
    height: int
    width: int
    batch: int
    measured_at: str


@dataclass(frozen=True)
class Failure:
    """A picture that the method failed on."""

    picture: str
    status: Status
    reason: str


class Cell:
    """One cell's folder."""

    def __init__(self, cache: Path, parts: Mapping[str, Any]) -> None:
        """``parts``: everything that changes the answer, as plain values."""
        self.parts, self.key = dict(parts), key_of(parts)
        self.folder = cache / "cells" / self.key[:2] / self.key
        outputs = _lines(self.folder / "outputs.jsonl", {field.name for field in fields(Output)})
        failures = _lines(self.folder / "failures.jsonl", {field.name for field in fields(Failure)})
        scores = _lines(self.folder / "scores.jsonl", {"key", "regions"})
        self.outputs = {line["picture"]: Output(**line) for line in outputs}
        self.failures = {line["picture"]: Failure(**line) for line in failures}
        self.scores: dict[str, dict[str, float]] = {line["key"]: line["regions"] for line in scores}

    @property
    def facts(self) -> dict[str, Any]:
        """What ``remember`` was given last; empty before."""
        try:
            facts = json.loads((self.folder / "facts.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def remember(self, facts: Mapping[str, Any]) -> None:
        """Keep what a loaded method said of itself, for runs that need not load it."""
        self._begin()
        write_atomically(self.folder / "facts.json", (json.dumps(facts, sort_keys=True, indent=1) + "\n").encode())

    def path(self, picture: str) -> Path:
        return self.folder / "pictures" / f"{picture}.png"

    def has(self, picture: str) -> bool:
        """Whether the output of ``picture`` is there."""
        return picture in self.outputs and self.path(picture).is_file()

    def read(self, picture: str) -> NDArray[np.uint8]:
        """The output, H x W x 3 RGB 8 bit.

        Raises:
            DataError: it is missing, or not what was stored; it is then taken out, so that the next run restores it.
        """
        path = self.path(picture)
        try:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == self.outputs[picture].sha256:
                return decode_png(data)
        except (OSError, KeyError):
            pass
        self._drop(picture)
        raise DataError(f"{path} was missing or damaged. Start the same command again: it is restored anew.")

    def store(
        self, picture: str, pixels: NDArray[np.uint8], *, milliseconds: float, batch: int, measured_at: str
    ) -> None:
        """Keep an output: the picture first, then its line."""
        data = encode_png(pixels)
        write_atomically(self.path(picture), data)
        height, width = pixels.shape[:2]
        digest = hashlib.sha256(data).hexdigest()
        output = Output(picture, digest, round(milliseconds, 3), height, width, batch, measured_at)
        self._append("outputs.jsonl", [vars(output)])
        self.outputs[picture] = output
        self.failures.pop(picture, None)

    def fail(self, picture: str, status: Status, reason: str) -> None:
        """Remember that the method failed on a picture; an output of an earlier try is no longer its answer."""
        self._drop(picture)
        failure = Failure(picture, status, reason)
        self._append("failures.jsonl", [vars(failure)])
        self.failures[picture] = failure

    def score(self, scores: Mapping[str, Mapping[str, float]]) -> None:
        """Keep scores by their keys."""
        if scores:
            self._append("scores.jsonl", [{"key": key, "regions": dict(value)} for key, value in scores.items()])
            self.scores.update({key: dict(value) for key, value in scores.items()})

    def _drop(self, picture: str) -> None:
        self.path(picture).unlink(missing_ok=True)
        self.outputs.pop(picture, None)

    def _begin(self) -> None:
        """Say what the key stands for, once there is something to keep."""
        key_file = self.folder / "key.json"
        if not key_file.is_file():
            write_atomically(key_file, (json.dumps(self.parts, sort_keys=True, indent=1) + "\n").encode())

    def _append(self, file: str, lines: Iterable[Mapping[str, Any]]) -> None:
        self._begin()
        _append(self.folder / file, lines)


def _append(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    text = "".join(canonical(line) + "\n" for line in lines)
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        if file.tell():
            with path.open("rb") as written:
                written.seek(-1, os.SEEK_END)
                if written.read(1) != b"\n":  # a crash cut the last line off; it must not swallow the next one
                    file.write("\n")
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _lines(path: Path, keys: set[str]) -> Iterator[dict[str, Any]]:
    """Lines that have exactly these keys; what another one told of (a crash cut it off) is computed again."""
    if not path.is_file():
        return
    # Not splitlines(): a reason may hold characters that it takes for ends of lines.
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(value, dict) and value.keys() == keys:
            yield value
