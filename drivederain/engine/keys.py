"""Keys of cached work: SHA-256 of canonical JSON of everything that changes the answer, and of nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

from drivederain.results.json_lines import canonical

ENGINE_VERSION = 4
"""Part of every cell's key; raised whenever the engine could change an output (padding, tiling, rounding)."""


def key_of(value: Any) -> str:
    """SHA-256 hex of ``canonical(value)``."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def seed_of(*names: object) -> int:
    """A 63-bit seed derived from names, so that it does not depend on the order of anything."""
    return int.from_bytes(hashlib.sha256(canonical([str(name) for name in names]).encode()).digest()[:8], "big") >> 1
