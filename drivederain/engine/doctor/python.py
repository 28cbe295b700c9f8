"""Python itself, and modules that must be importable."""

from __future__ import annotations

import importlib
import time

from packaging.specifiers import SpecifierSet

from drivederain.engine.doctor.check import Check

FEATURE = "Python and torch"


def check_python(version: str, wanted: str) -> Check:
    """``version`` as in ``3.12.4``, ``wanted`` as in ``>=3.11,<3.14``."""
    if SpecifierSet(wanted).contains(version, prereleases=True):
        return Check(FEATURE, "Python", "ok", version, needed=True)
    return Check(
        FEATURE,
        "Python",
        "broken",
        f"this is Python {version}, the program needs {wanted}",
        f"Make an environment with a Python {wanted} and install the program there.",
        needed=True,
    )


def check_import(module: str, install: str) -> Check:
    """Import ``module``; ``install`` is the command that brings it."""
    started = time.perf_counter()
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError as error:
        reason = f"{error.name} is not installed"
        return Check(FEATURE, module, "missing", reason, f"Install it: {install}", needed=True)
    except Exception as error:  # a broken install raises ImportError, OSError for a library, RuntimeError ...
        reason = f"its import fails: {type(error).__name__}: {error}"
        return Check(FEATURE, module, "broken", reason, f"Install it again: {install} --force-reinstall", needed=True)
    seconds = time.perf_counter() - started
    version = getattr(imported, "__version__", "")
    return Check(FEATURE, module, "ok", f"{version}, imported in {seconds:.1f} s", needed=True)
