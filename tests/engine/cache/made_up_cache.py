"""Made-up small caches: the layout of ``docs/cache.md``, without running anything. Loaded by path (``conftest.py``)."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivederain.engine.keys import key_of
from drivederain.results.json_lines import line_of
from drivederain.weights_metadata import metadata, with_checksum

PARTS: dict[str, Any] = {
    "engine": 1,
    "method": "unet",
    "options": {"depth": 5},
    "weights": "a" * 64,
    "before": None,
    "device": "cpu",
    "precision": "fp32",
    "threads": 1,
    "torch": "2.15.0",
    "drivederain": "0.1.0",
}


class MadeUpCache:
    """Writes entries of a cache."""

    parts = PARTS
    """The key of ``cell()``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def cell(self, pictures: int = 2, *, age: float = 0.0, **changed: Any) -> Path:
        """A cell of ``unet`` with these parts changed, last used ``age`` seconds ago."""
        parts = {**PARTS, **changed}
        folder = self.path / "cells" / key_of(parts)[:2] / key_of(parts)
        (folder / "pictures").mkdir(parents=True)
        (folder / "key.json").write_text(json.dumps(parts))
        lines = []
        for number in range(pictures):
            data = f"picture {number} of {folder.name}".encode() * 10
            (folder / "pictures" / f"p{number}.png").write_bytes(data)
            lines.append(line_of({"picture": f"p{number}", "sha256": hashlib.sha256(data).hexdigest(), "bytes": 1}))
        (folder / "outputs.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        (folder / "scores.jsonl").write_bytes(line_of({"key": "s", "regions": {"image": math.inf}}) + b"\n")
        (folder / "facts.json").write_bytes(line_of({"parameters": 3}))
        self.touch(folder / "key.json", age)
        return folder

    def input(self, name: str = "drawing", *, age: float = 0.0) -> Path:
        fingerprint = hashlib.sha256(name.encode()).hexdigest()
        folder = self.path / "inputs" / fingerprint[:2] / fingerprint
        folder.mkdir(parents=True)
        (folder / "rainy.png").write_bytes(b"rainy" * 20)
        record = {"parameters": {}, "files": {"rainy.png": hashlib.sha256(b"rainy" * 20).hexdigest()}}
        (folder / "parameters.json").write_bytes(line_of(record))
        for file in folder.iterdir():
            self.touch(file, age)
        return folder

    def content(self, **changed: Any) -> Path:
        return self._record("contents", {"sha256": "c" * 64, "height": 4, "width": 5, **changed})

    def stratum(self, **changed: Any) -> Path:
        return self._record("strata", {"intensity": "light", "source": "pair", "borderline": False, **changed})

    def _record(self, kind: str, record: Mapping[str, Any]) -> Path:
        path = self.path / kind / "cc" / f"{'c' * 64}.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(line_of(record))
        return path

    def weights(self, method: str = "unet", *, behind: str = "", age: float = 0.0) -> Path:
        """A whole safetensors file: length of the header, header, one number."""
        tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
        header = json.dumps({"__metadata__": metadata({"behind": behind}), "w": tensor}).encode()
        path = self.path / "weights" / method / f"{'d' * 64}.safetensors"
        path.parent.mkdir(parents=True)
        path.write_bytes(with_checksum(len(header).to_bytes(8, "little") + header + b"\0\0\0\0"))
        self.touch(path, age)
        return path

    @staticmethod
    def touch(path: Path, age: float) -> None:
        moment = time.time() - age
        os.utime(path, (moment, moment))
