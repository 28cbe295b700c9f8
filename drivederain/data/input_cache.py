"""Drawn pictures are kept: ``<cache>/inputs/<first two digits>/<fingerprint>/``, PNG files and ``parameters.json``.

``parameters.json`` is written last and holds the SHA-256 of each PNG, so an entry is either whole or drawn again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from drivederain.data.png import decode_png, encode_png
from drivederain.results.json_lines import line_of, record_of
from drivederain.results.run_folder import write_atomically

# One drawing at a time for one entry. A lock an entry, never shared by two: drawing rain asks for the drawn scene under
# it while the rain's lock is held. Kept outside the entries, so that those can be sent to other processes.
_LOCKS: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
_GUARD = threading.Lock()


@dataclass(frozen=True)
class Drawing:
    """What is kept of one drawing: pictures by file name (``rainy.png``) and the drawn parameters (JSON types)."""

    pictures: Mapping[str, NDArray[np.uint8]]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class CachedDrawing:
    """One entry, drawn when it is first asked for."""

    cache: Path
    fingerprint: str

    @property
    def folder(self) -> Path:
        return self.cache / "inputs" / self.fingerprint[:2] / self.fingerprint

    def picture(self, file: str, draw: Callable[[], Drawing]) -> NDArray[np.uint8]:
        """The picture kept as ``file``; drawn and kept first where it is missing or damaged."""
        with self._lock():
            kept = self._read(file)
            return kept if kept is not None else self._drawn(draw).pictures[file]

    def parameters(self, draw: Callable[[], Drawing]) -> Mapping[str, Any]:
        """The drawn parameters; drawn and kept first where they are missing or damaged."""
        with self._lock():
            record = self._record()
            return record["parameters"] if record is not None else self._drawn(draw).parameters

    def _lock(self) -> threading.Lock:
        with _GUARD:
            return _LOCKS.setdefault(self.fingerprint, threading.Lock())

    def _record(self) -> dict[str, Any] | None:
        try:
            record = record_of((self.folder / "parameters.json").read_bytes())
        except OSError:
            return None
        if record is None:
            return None
        parts = (record.get("files"), record.get("parameters"))
        return record if all(isinstance(part, dict) for part in parts) else None

    def _read(self, file: str) -> NDArray[np.uint8] | None:
        record = self._record()
        if record is None:
            return None
        try:
            data = (self.folder / file).read_bytes()
        except OSError:
            return None
        return decode_png(data) if record["files"].get(file) == hashlib.sha256(data).hexdigest() else None

    def _drawn(self, draw: Callable[[], Drawing]) -> Drawing:
        drawing = draw()
        try:
            return self._keep(drawing)
        except FileNotFoundError:  # another process tidied up the cache at this moment
            return self._keep(drawing)

    def _keep(self, drawing: Drawing) -> Drawing:
        hashes = {}
        for file, picture in drawing.pictures.items():
            data = encode_png(picture)
            hashes[file] = hashlib.sha256(data).hexdigest()
            write_atomically(self.folder / file, data)
        record = {"parameters": dict(drawing.parameters), "files": hashes}
        write_atomically(self.folder / "parameters.json", line_of(record))
        return drawing
