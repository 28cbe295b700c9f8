"""The weights that are there: those that ship with each method, and those in the user's cache."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from drivederain.errors import WeightsError

if TYPE_CHECKING:
    from drivederain.registry import Registry

FileState = Literal["ok", "missing", "damaged", "unreadable"]


def file_state(path: Path, sha256: str) -> FileState:
    """Whether the file is there and its bytes are those that were recorded."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    return "ok" if digest == sha256 else "damaged"


def shipped_weights(registry: Registry) -> list[dict[str, Any]]:
    """What each method names as weights, and whether the file is there and whole."""
    # The module of weights imports torch.
    from drivederain.weights import package_file

    found = []
    for method in registry.methods.values():
        for spec in method.weights:
            try:
                path = package_file(spec.source)
                state, size = file_state(path, spec.sha256), path.stat().st_size
            except WeightsError:
                # An address: the user fetches the file, and gives it with --weights.
                state, size = "missing", 0
            found.append(
                {
                    "method": method.name,
                    "name": spec.name,
                    "class": spec.weights_class,
                    "source": spec.source,
                    "bytes": size,
                    "state": state,
                    "licence": spec.licence,
                }
            )
    return found


def cached_weights(cache: Path) -> list[dict[str, Any]]:
    """Weights trained here: method, the start of the key, size, budget and what they were trained on."""
    from drivederain.weights import WeightsCache, read_about

    found = []
    for path in sorted(WeightsCache(cache).folder.glob("*/*.safetensors")):
        try:
            about, state = read_about(path), "ok"
        except WeightsError:
            about, state = {}, "damaged"
        found.append(
            {
                "method": path.parent.name,
                "name": path.stem[:12],
                "class": "trained here",
                "bytes": path.stat().st_size,
                "state": state,
                "budget": str(about.get("budget", "")),
                "trained_on": str(about.get("trained_on", "")),
            }
        )
    return found
