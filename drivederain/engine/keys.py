"""Keys of cached work: SHA-256 of canonical JSON of everything that changes the answer, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from typing import Any

ENGINE_VERSION = 3
"""Part of every cell's key; raised whenever the engine could change an output (padding, tiling, rounding)."""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; the same for equal values on every machine."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def key_of(value: Any) -> str:
    """SHA-256 hex of ``canonical(value)``."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def seed_of(*names: object) -> int:
    """A 63-bit seed derived from names, so that it does not depend on the order of anything."""
    return int.from_bytes(hashlib.sha256(canonical([str(name) for name in names]).encode()).digest()[:8], "big") >> 1


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | set | frozenset):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
