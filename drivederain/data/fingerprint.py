"""Fingerprints: SHA-256 of canonical JSON of what decides a picture's pixels."""

from __future__ import annotations

import hashlib
import json


def fingerprint_of(*parts: str | int | None) -> str:
    """SHA-256 hex of the parts in their order."""
    canonical = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
