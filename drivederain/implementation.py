"""From ``"package.module:Class"`` to the class: imported only when it runs, with an error that says what to install."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable

from drivederain.errors import SpecError
from drivederain.names import did_you_mean
from drivederain.specs import IMPLEMENTATION


def missing_modules(modules: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``modules`` that are not installed, without importing any (parents of dotted names excepted)."""

    def is_missing(module: str) -> bool:
        try:
            return importlib.util.find_spec(module) is None
        except (ImportError, ValueError):
            return True

    return tuple(module for module in modules if is_missing(module))


def install_hint(distribution: str, extra: str) -> str:
    """Return the command that installs ``distribution`` with ``extra`` (``""``: without one)."""
    return f'python -m pip install "{distribution}[{extra}]"' if extra else f'python -m pip install "{distribution}"'


def load_implementation(
    implementation: str,
    *,
    owner: str = "",
    requires: Iterable[str] = (),
    extra: str = "",
    distribution: str = "drivederain",
) -> type:
    """Import ``"package.module:Class"`` and return the class.

    ``owner`` names the spec in messages (``method restormer``); ``requires`` are modules that must be installed first;
    ``extra`` of ``distribution`` is what brings them.

    Raises:
        SpecError: a module is missing (the message says what to install), its import fails, or it has no such class.
    """
    owner = owner or implementation
    if not IMPLEMENTATION.fullmatch(implementation):
        raise SpecError(f"{owner}: implementation {implementation!r} is not of the form 'package.module:Class'")
    missing = missing_modules(requires)
    if missing:
        hint = install_hint(distribution, extra)
        raise SpecError(f"{owner} needs {' and '.join(missing)}, not installed here. Install with: {hint}")
    module_name, _, class_name = implementation.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        remedy = f" Install with: {install_hint(distribution, extra)}" if extra else ""
        raise SpecError(f"{owner}: {module_name} needs {error.name!r}, which is not installed.{remedy}") from error
    except Exception as error:
        raise SpecError(f"{owner}: importing {module_name} failed: {type(error).__name__}: {error}") from error
    try:
        found = getattr(module, class_name)
    except AttributeError:
        hint = did_you_mean(class_name, [name for name in vars(module) if not name.startswith("_")])
        raise SpecError(f"{owner}: {module_name} has no {class_name!r}.{hint}") from None
    if not isinstance(found, type):
        raise SpecError(f"{owner}: {implementation} is not a class but {type(found).__name__}")
    return found
