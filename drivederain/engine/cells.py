"""The cache of cells: a cell is one chain prefix; its outputs lie in it by the fingerprint of the rainy picture.

    <cache>/cells/<key[:2]>/<key>/
        key.json        everything that the key is the hash of; its time says when a run last used the cell
        outputs.jsonl   one line a finished picture (``Output``)
        failures.jsonl  one line a picture that the method failed on (``Failure``), or that it could take later on
        scores.jsonl    one line a score: its key and the value of each region, or why there can be none
        facts.json      what was measured of the loaded method: parameters, FLOPs, peak memory, throughput
        lock            held by the run that restores into the cell; others wait and find the work done
        pictures/<fingerprint>.png

A picture's line is written after its PNG was renamed into place, so what has a line is whole. Files only grow, each
time by one write; a last line cut off by a crash is ignored. What is damaged later is noticed by its size, its SHA-256
or the check sum of its line, thrown away and computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from drivederain.data.png import decode_png, encode_png
from drivederain.engine.keys import key_of
from drivederain.errors import DataError
from drivederain.results.json_lines import line_of, record_of
from drivederain.results.run_folder import write_atomically
from drivederain.results.schema import Status


@dataclass(frozen=True, slots=True)
class Output:
    """A restored picture in the cache."""

    picture: str
    """Fingerprint of the rainy picture."""
    sha256: str
    """Of the PNG file."""
    bytes: int
    milliseconds: float | None
    """A picture: what the stage alone took, without decoding and encoding; ``None`` where nobody waited for it."""
    height: int
    width: int
    batch: int
    """Pictures that went through the network together."""
    group: str
    """Names the pictures that were batched together ("" for a batch of one); results may depend on it."""
    alone: bool
    """Nothing else of the run went on meanwhile, so that the time is a latency."""
    stepped_down: str
    """What was made smaller because memory ran out ("batch 4→2", "tile 512", "bf16"), or ""."""
    hardware: str
    """What it was restored on, as in ``AMD EPYC, 2 threads``."""
    measured_at: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that the method failed on."""

    picture: str
    status: Status
    """In the file ``ok`` says that a later try has an output, so that an earlier line of the picture is void."""
    reason: str
    limit: float | None = None
    """The limit that was exceeded (seconds, or bytes); with a larger one the picture is tried again."""


class _Scores(NamedTuple):
    """What ``scores.jsonl`` holds, by the keys of the scores."""

    regions: dict[str, dict[str, float]]
    skipped: dict[str, str]


class DamagedOutput(DataError):
    """An output in the cache is missing or not what was stored; it was taken out, to be restored again."""

    def __init__(self, folder: Path, picture: str) -> None:
        path = png_path(folder, picture)
        super().__init__(f"{path} was missing or damaged. Start the same command again: it is restored anew.")
        self.folder, self.picture = folder, picture


def png_path(folder: Path, picture: str) -> Path:
    """Where a cell's folder keeps the output of ``picture``."""
    return folder / "pictures" / f"{picture}.png"


def store_png(folder: Path, picture: str, pixels: NDArray[np.uint8]) -> tuple[str, int]:
    """Write an output (H x W x 3 RGB 8 bit) whole or not at all; its SHA-256 and its size go into its line."""
    data = encode_png(pixels)
    write_atomically(png_path(folder, picture), data)
    return hashlib.sha256(data).hexdigest(), len(data)


def store_output(
    folder: Path,
    picture: str,
    pixels: NDArray[np.uint8],
    *,
    seconds: float | None,
    hardware: str,
    batch: int = 1,
    group: str = "",
    alone: bool = False,
    stepped_down: str = "",
) -> Output:
    """Write an output; its line is for ``Cell.add``."""
    sha256, size = store_png(folder, picture, pixels)
    return Output(
        picture=picture,
        sha256=sha256,
        bytes=size,
        milliseconds=None if seconds is None else round(1000 * seconds, 3),
        height=pixels.shape[0],
        width=pixels.shape[1],
        batch=batch,
        group=group,
        alone=alone,
        stepped_down=stepped_down,
        hardware=hardware,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def read_png(folder: Path, picture: str, sha256: str) -> NDArray[np.uint8]:
    """The output, H x W x 3 RGB 8 bit.

    Raises:
        DamagedOutput: it is missing, or not what was stored; it is then deleted.
    """
    path = png_path(folder, picture)
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() == sha256:
            return decode_png(data)
    except FileNotFoundError:
        pass
    path.unlink(missing_ok=True)
    raise DamagedOutput(folder, picture)


class Cell:
    """One cell's folder."""

    def __init__(self, cache: Path, parts: Mapping[str, Any]) -> None:
        """``parts``: everything that changes the answer, as plain values."""
        self.parts, self.key = dict(parts), key_of(parts)
        self.folder = cache / "cells" / self.key[:2] / self.key
        self._pictures = str(png_path(self.folder, "").parent)
        self.outputs: dict[str, Output] = {}
        self.failures: dict[str, Failure] = {}
        """Lasting ones, which later runs know too, and those of this run alone."""
        self._passing: dict[str, Failure] = {}
        self._scores: _Scores | None = None
        self.reload()

    def reload(self) -> None:
        """Read outputs and failures again, which another run may have added."""
        self.outputs = {line["picture"]: Output(**line) for line in _lines(self.folder / "outputs.jsonl", Output)}
        known = [Failure(**line) for line in _lines(self.folder / "failures.jsonl", Failure)]
        last = {failure.picture: failure for failure in known}
        self.failures = {name: failure for name, failure in last.items() if failure.status != "ok"} | self._passing
        self._scores = None

    def lock(self) -> FileLock:
        """To be held while the cell's pictures are restored."""
        self._begin()
        return FileLock(self.folder / "lock")

    @property
    def scores(self) -> Mapping[str, Mapping[str, float]]:
        """Region -> value by the key of the score; read when first asked for, until ``forget_scores``."""
        return self._read_scores().regions

    @property
    def skipped(self) -> Mapping[str, str]:
        """Why there can be no score, by its key (the picture is too small for the metric); read as ``scores`` are."""
        return self._read_scores().skipped

    def _read_scores(self) -> _Scores:
        if self._scores is None:
            self._scores = _Scores({}, {})
            for line in _lines(self.folder / "scores.jsonl", None):
                if line.keys() == {"key", "regions"}:
                    self._scores.regions[line["key"]] = line["regions"]
                elif line.keys() == {"key", "regions", "skipped"}:
                    self._scores.skipped[line["key"]] = line["skipped"]
        return self._scores

    def forget_scores(self) -> None:
        """Free their memory; they stay in the file."""
        self._scores = None

    @property
    def facts(self) -> dict[str, Any]:
        """What ``remember`` was given last; empty before."""
        try:
            return record_of((self.folder / "facts.json").read_bytes()) or {}
        except OSError:
            return {}

    def remember(self, facts: Mapping[str, Any]) -> None:
        """Keep what a loaded method said of itself, for runs that need not load it."""
        self._begin()
        write_atomically(self.folder / "facts.json", line_of(facts))

    def touch(self) -> None:
        """Note that a run uses the cell."""
        if (self.folder / "key.json").is_file():
            (self.folder / "key.json").touch()  # unlike that of os.utime, its error names the file

    def path(self, picture: str) -> Path:
        return png_path(self.folder, picture)

    def has(self, picture: str) -> bool:
        """Whether the output of ``picture`` is there, in full length."""
        output = self.outputs.get(picture)
        if output is None:
            return False
        try:
            # Asked hundreds of thousands of times: a Path for each would take most of the time.
            return os.stat(f"{self._pictures}/{picture}.png").st_size == output.bytes
        except OSError:
            return False

    def read(self, picture: str) -> NDArray[np.uint8]:
        """The output, H x W x 3 RGB 8 bit.

        Raises:
            DamagedOutput: it is missing, or not what was stored; it is then taken out, so that it is restored again.
        """
        output = self.outputs.get(picture)
        try:
            return read_png(self.folder, picture, output.sha256 if output else "")
        except DamagedOutput:
            self.drop(picture)
            raise

    def lasting(self, picture: str) -> Failure | None:
        """The failure on ``picture`` that would come again."""
        return self.failures.get(picture) if picture not in self._passing else None

    def add(self, outputs: Iterable[Output]) -> None:
        """Write the lines of outputs whose PNG files are in place."""
        kept = {output.picture: output for output in outputs}
        overcome = [Failure(picture, "ok", "") for picture in kept if picture in self.failures]
        if overcome:  # else the failure would be believed again when the output is lost
            self._append("failures.jsonl", [_plain(failure) for failure in overcome])
        self._append("outputs.jsonl", [_plain(output) for output in kept.values()])
        self.outputs.update(kept)
        for picture in kept:
            self.failures.pop(picture, None)
            self._passing.pop(picture, None)

    def fail(self, failure: Failure, *, lasting: bool = True) -> None:
        """Note that the method failed on a picture; an output of an earlier try is no longer its answer.

        ``lasting``: it is the method's own doing and is kept for later runs. What was not (a process killed from
        outside, data that could not be read) is tried again by the next run.
        """
        self.drop(failure.picture)
        if lasting:
            self._append("failures.jsonl", [_plain(failure)])
            self._passing.pop(failure.picture, None)
        else:
            self._passing[failure.picture] = failure
        self.failures[failure.picture] = failure

    def score(self, scores: Mapping[str, Mapping[str, float]]) -> None:
        """Keep scores by their keys."""
        if scores:
            self._append("scores.jsonl", [{"key": key, "regions": dict(value)} for key, value in scores.items()])
            if self._scores is not None:
                self._scores.regions.update({key: dict(value) for key, value in scores.items()})

    def skip_scores(self, reasons: Mapping[str, str]) -> None:
        """Keep why there can be no score, by its key; only of what every later try would say again."""
        if reasons:
            lines = [{"key": key, "regions": {}, "skipped": reason} for key, reason in reasons.items()]
            self._append("scores.jsonl", lines)
            if self._scores is not None:
                self._scores.skipped.update(reasons)

    def drop(self, picture: str) -> None:
        """Take an output out."""
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
    """Add lines by one write at the end of the file, so that those of two runs do not mix."""
    text = b"".join(line_of(line) + b"\n" for line in lines)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":  # a crash cut the last line off; it must not swallow ours
            text = b"\n" + text
        while text:
            text = text[os.write(handle, text) :]  # a full disk takes a part, and then raises
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(path: Path, record: type | None) -> Iterator[dict[str, Any]]:
    """Lines that have exactly the fields of ``record``; what another one told of (cut off, damaged) is done again."""
    keys = {field.name for field in fields(record)} if record is not None else None
    if not path.is_file():
        return
    for line in path.read_bytes().split(b"\n"):
        value = record_of(line)
        if value is not None and (keys is None or value.keys() == keys):
            yield value


def _plain(record: Output | Failure) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}
