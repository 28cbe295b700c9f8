"""The code of other people's plugins by its hash, so that a cache does not give what an earlier version of it made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from drivederain.entry_points import DISTRIBUTION, distribution_of, installed_entry_points


def code_of(implementation: str) -> str:
    """SHA-256 of the Python files of the package that ``"package.module:Class"`` is in, by path and content.

    "" for what comes with this program, whose version is in every key, and for code that is not in files. Nothing is
    imported. Code elsewhere that the package uses (other distributions, compiled files, data) is not in it: for what
    changes there a plugin raises ``version``.
    """
    module = implementation.partition(":")[0]
    top = module.partition(".")[0]
    if top in _own_packages():
        return ""
    try:
        found = find_spec(top)
    except (ImportError, ValueError):  # a module that was made by hand has no place
        found = None
    if found is None:
        return ""
    if found.origin is None:  # a namespace: what else lies in it is not this plugin's
        return _digest(_in_namespace([Path(folder) for folder in found.submodule_search_locations or ()], module))
    if not found.submodule_search_locations:
        path = Path(found.origin)
        return _digest({path.name: path} if path.suffix == ".py" and path.is_file() else {})
    return _digest({name: path for folder in found.submodule_search_locations for name, path in _below(Path(folder))})


def _in_namespace(folders: list[Path], module: str) -> dict[str, Path]:
    """Those of the outermost package in the namespace that the module lies in, or of the module alone."""
    for name in module.split(".")[1:]:
        places = [folder / name for folder in folders]
        for place in places:
            if (place / "__init__.py").is_file():
                return dict(_below(place))
            if (file := place.with_suffix(".py")).is_file():
                return {file.name: file}
        folders = places
    return {}


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*.py"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _digest(files: dict[str, Path]) -> str:
    if not files:
        return ""
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


@cache
def _own_packages() -> frozenset[str]:
    """The packages that this program's own entry points name."""
    points = [point for point in installed_entry_points()[0] if distribution_of(point)[0] == DISTRIBUTION]
    return frozenset(name.partition(".")[0] for name in (__name__, *(point.value for point in points)))
