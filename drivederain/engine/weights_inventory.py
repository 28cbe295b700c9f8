"""The weights that are there: those that ship with each method, and those in the user's cache."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from drivederain.engine.cache.weights_files import weights_problem
from drivederain.errors import WeightsError
from drivederain.weights_library import WeightsLibrary

if TYPE_CHECKING:
    from drivederain.registry import Registry

FileState = Literal["ok", "missing", "damaged", "unreadable", "not fetched"]


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
                # An address: the user fetches the file.
                state, size = "not fetched" if "://" in spec.source else "missing", spec.bytes
            found.append(
                {
                    "method": method.name,
                    "name": spec.name,
                    "class": spec.weights_class,
                    "source": spec.source,
                    "bytes": size,
                    "sha256": spec.sha256,
                    "state": state,
                    "licence": spec.licence,
                }
            )
    return found


def library_weights(cache: Path) -> list[dict[str, Any]]:
    """What the user fetched or added."""
    library = WeightsLibrary(cache)
    return [
        {
            "method": entry.method,
            "name": entry.name,
            "class": entry.weights_class,
            "source": entry.source,
            "bytes": entry.bytes,
            "sha256": entry.sha256,
            "state": _state_of_all(library.files(entry)),
            "licence": entry.licence,
        }
        for entry in library.entries()
    ]


def _state_of_all(files: Mapping[Path, str]) -> FileState:
    """The first state that is not ok."""
    states = (file_state(path, sha256) for path, sha256 in files.items())
    return next((state for state in states if state != "ok"), "ok")


def all_weights(registry: Registry, cache: Path) -> list[dict[str, Any]]:
    """All of them, by method: those that ship or can be fetched, those of the library, those trained here."""
    fetched = library_weights(cache)
    there = {(each["method"], each["source"]) for each in fetched}
    named = [each for each in shipped_weights(registry) if (each["method"], each["source"]) not in there]
    trained = [
        {**each, "source": each["trained_on"], "licence": "that of the training data"} for each in cached_weights(cache)
    ]
    order = list(registry.methods)
    every = [*named, *fetched, *trained]
    return sorted(every, key=lambda each: order.index(each["method"]) if each["method"] in order else len(order))


def cached_weights(cache: Path) -> list[dict[str, Any]]:
    """Weights trained here: method, the start of the key, size, budget and what they were trained on."""
    from drivederain.weights import WeightsCache, read_about, sha256_of

    found = []
    for path in sorted(WeightsCache(cache).folder.glob("*/*.safetensors")):
        try:
            about, state = read_about(path), "damaged" if weights_problem(path) else "ok"
        except WeightsError:
            about, state = {}, "damaged"
        found.append(
            {
                "method": path.parent.name,
                "name": path.stem[:12],
                "class": "trained here",
                "bytes": path.stat().st_size,
                "sha256": sha256_of(path) if state == "ok" else "",
                "state": state,
                "budget": str(about.get("budget", "")),
                "trained_on": str(about.get("trained_on", "")),
            }
        )
    return found
