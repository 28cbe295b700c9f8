"""Weights of methods, shipped or in the library, and carried networks of metrics and losses: there, and whole."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from drivederain.engine.doctor.check import Check
from drivederain.engine.weights_inventory import file_state
from drivederain.errors import WeightsError
from drivederain.specs import MethodSpec, WeightsSpec
from drivederain.weights_library import LibraryEntry, WeightsLibrary

FEATURE = "weights"
AGAIN = "Install the package again."


def check_all_of(method: MethodSpec, library: WeightsLibrary, *, needed: bool) -> Iterator[Check]:
    """All weights of a method: those that it names, and what the user added to the library."""
    try:
        there = {entry.name: entry for entry in library.entries(method.name)}
    except WeightsError as error:
        remedy = f"Remove {library.folder / method.name}, and fetch or add again what was in it."
        yield Check(FEATURE, f"{method.name}, library", "broken", str(error), remedy)
        there = {}
    for weights in method.weights:
        entry = there.get(weights.name)
        if entry is not None and entry.source == weights.source:
            continue
        yield check_weights(method, weights, needed=needed)
    for entry in there.values():
        yield check_entry(library, entry)


def check_entry(library: WeightsLibrary, entry: LibraryEntry) -> Check:
    """A file of the user's library."""
    name, problem = f"{entry.method} {entry.name}", library.problem(entry)
    if problem:
        remedy = f"Remove {library.path(entry).parent}, and fetch or add it again."
        return Check(FEATURE, name, "broken", problem, remedy)
    return Check(FEATURE, name, "ok", f"{entry.file} in your library, {entry.bytes / 1e6:.1f} MB")


def check_weights(method: MethodSpec, weights: WeightsSpec, *, needed: bool) -> Check:
    """One of a method's weights, with its model card. Those of an address are fetched by the user."""
    name = f"{method.name} {weights.name}"
    if not weights.source.startswith("package:"):
        reason = f"not shipped: {weights.source} ({weights.licence})"
        fetch = f"drivederain-bench weights fetch {method.name}:{weights.name}"
        return Check(FEATURE, name, "missing", reason, f"Fetch it: {fetch}")
    # The module of weights imports torch.
    from drivederain.weights import shipped

    try:
        path = shipped(weights).path
    except WeightsError as error:
        return Check(FEATURE, name, "broken", str(error), AGAIN, needed=needed)
    return check_file(name, path, weights.sha256, needed=needed)


def check_file(name: str, path: Path, sha256: str, *, needed: bool) -> Check:
    """A file whose bytes are recorded."""
    state = file_state(path, sha256)
    if state == "ok":
        return Check(FEATURE, name, "ok", f"{path.name}, {path.stat().st_size / 1e6:.1f} MB", needed=needed)
    if state == "missing":
        return Check(FEATURE, name, "missing", f"{path} is not there", AGAIN, needed=needed)
    reason = "its SHA-256 is not the recorded one" if state == "damaged" else "it cannot be read"
    return Check(FEATURE, name, "broken", f"{path}: {reason}", AGAIN, needed=needed)


def check_lpips_heads(package: str = "lpips") -> Check:
    """The linear heads of LPIPS come with its package, which is not imported here."""
    name, again = "LPIPS heads", f"Install it again: python -m pip install --force-reinstall --no-deps {package}"
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return Check(FEATURE, name, "missing", f"the package {package} is not installed", again, needed=True)
    path = Path(found.origin).parent / "weights" / "v0.1" / "alex.pth"
    if not path.is_file():
        return Check(FEATURE, name, "missing", f"{path} is not there", again, needed=True)
    return Check(FEATURE, name, "ok", f"{path.name} of the package {package}", needed=True)
