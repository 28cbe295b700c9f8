"""The code of other people's plugins by its hash, so that a cache does not give what an earlier version of it made."""

from __future__ import annotations

import hashlib
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
        names = [Path(folder, *module.split(".")[1:]) for folder in found.submodule_search_locations or ()]
        files = [path for name in names for path in (name.with_suffix(".py"), name / "__init__.py") if path.is_file()]
        return _digest({path.name: path for path in files})
    if not found.submodule_search_locations:
        path = Path(found.origin)
        return _digest({path.name: path} if path.suffix == ".py" and path.is_file() else {})
    return _digest(
        {
            path.relative_to(folder).as_posix(): path
            for folder in found.submodule_search_locations
            for path in Path(folder).rglob("*.py")
            if path.is_file()
        }
    )


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
