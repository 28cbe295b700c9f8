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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivederain.data.png import decode_png, encode_png
from drivederain.engine.keys import canonical, key_of
from drivederain.errors import DataError
from drivederain.results.run_folder import write_atomically


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
    status: str
    reason: str


class Cell:
    """One cell's folder."""

    def __init__(self, cache: Path, parts: Mapping[str, Any]) -> None:
        """``parts``: everything that changes the answer, as plain values."""
        self.parts, self.key = dict(parts), key_of(parts)
        self.folder = cache / "cells" / self.key[:2] / self.key
        key_file = self.folder / "key.json"
        if not key_file.is_file():
            write_atomically(key_file, (json.dumps(self.parts, sort_keys=True, indent=1) + "\n").encode())
        self.outputs = {line["picture"]: Output(**line) for line in _lines(self.folder / "outputs.jsonl")}
        self.failures = {line["picture"]: Failure(**line) for line in _lines(self.folder / "failures.jsonl")}
        self.scores: dict[str, dict[str, float]] = {
            line["key"]: line["regions"] for line in _lines(self.folder / "scores.jsonl")
        }

    @property
    def facts(self) -> dict[str, Any]:
        """What ``remember`` was given last; empty before."""
        path = self.folder / "facts.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def remember(self, facts: Mapping[str, Any]) -> None:
        """Keep what a loaded method said of itself, for runs that need not load it."""
        write_atomically(self.folder / "facts.json", (json.dumps(facts, sort_keys=True, indent=1) + "\n").encode())

    def path(self, picture: str) -> Path:
        return self.folder / "pictures" / f"{picture}.png"

    def has(self, picture: str) -> bool:
        """Whether the output of ``picture`` is there."""
        return picture in self.outputs and self.path(picture).is_file()

    def read(self, picture: str) -> NDArray[np.uint8]:
        """The output, H x W x 3 RGB 8 bit.

        Raises:
            DataError: it is missing or damaged.
        """
        path = self.path(picture)
        try:
            return decode_png(path.read_bytes())
        except (OSError, ValueError, DataError) as error:
            raise DataError(f"{path} is missing or damaged; run the same command again with --overwrite always") from error

    def store(self, picture: str, pixels: NDArray[np.uint8], *, milliseconds: float, batch: int, measured_at: str) -> None:
        """Keep an output: the picture first, then its line."""
        data = encode_png(pixels)
        write_atomically(self.path(picture), data)
        output = Output(
            picture, hashlib.sha256(data).hexdigest(), round(milliseconds, 3), *pixels.shape[:2], batch, measured_at
        )
        _append(self.folder / "outputs.jsonl", [vars(output)])
        self.outputs[picture] = output
        self.failures.pop(picture, None)

    def fail(self, picture: str, status: str, reason: str) -> None:
        """Remember that the method failed on a picture."""
        failure = Failure(picture, status, reason)
        _append(self.folder / "failures.jsonl", [vars(failure)])
        self.failures[picture] = failure

    def score(self, scores: Mapping[str, Mapping[str, float]]) -> None:
        """Keep scores by their keys."""
        _append(self.folder / "scores.jsonl", [{"key": key, "regions": dict(value)} for key, value in scores.items()])
        self.scores.update({key: dict(value) for key, value in scores.items()})


def _append(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    text = "".join(canonical(line) + "\n" for line in lines)
    with path.open("a", encoding="utf-8") as file:
        if file.tell():
            with path.open("rb") as written:
                written.seek(-1, os.SEEK_END)
                if written.read(1) != b"\n":  # a crash cut the last line off; it must not swallow the next one
                    file.write("\n")
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut off by a crash: what it told of is computed again
        if isinstance(value, dict):
            yield value
