"""What ``--weights METHOD=...`` means: a file, or a name in the user's library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from drivederain.errors import WeightsError
from drivederain.names import did_you_mean
from drivederain.specs import MethodSpec
from drivederain.weights import FoundWeights, given
from drivederain.weights_library import LibraryEntry, WeightsLibrary


def weights_named(library: WeightsLibrary, spec: MethodSpec, typed: Path) -> FoundWeights:
    """The weights of a file, or those of the library that are called so where there is no such file.

    A file with the SHA-256 of official weights of the method is these, wherever it lies.

    Raises:
        WeightsError: neither is there, or the file is damaged.
    """
    method = spec.name
    entries = [] if typed.is_file() else library.entries(method)
    names = [each.name for each in entries]
    if entries and str(typed) not in names:
        raise WeightsError(
            f"--weights {method}={typed}: there is no such file, and your library has no weights of that name."
            f"{did_you_mean(str(typed), names)} It has {', '.join(names)}."
        )
    return of_entry(library, entries[names.index(str(typed))]) if entries else _recognised(spec, given(typed))


def _recognised(spec: MethodSpec, found: FoundWeights) -> FoundWeights:
    official = next((each for each in spec.weights if each.sha256 == found.sha256), None)
    if official is None or official.weights_class != "official":
        return found
    return replace(
        found,
        weights_class="official",
        name=official.name,
        licence=official.licence,
        trained_on=official.trained_on,
    )


def of_entry(library: WeightsLibrary, entry: LibraryEntry) -> FoundWeights:
    """The weights of an entry of the library.

    Raises:
        WeightsError: its file is gone.
    """
    path = library.path(entry)
    if not path.is_file():
        raise WeightsError(
            f"{path}: the file is gone from your library. Fetch or add {entry.method}:{entry.name} again."
        )
    return replace(
        given(path),
        weights_class=entry.weights_class,
        name=entry.name,
        sha256=entry.sha256,
        licence=entry.licence,
        trained_on=entry.trained_on,
    )
