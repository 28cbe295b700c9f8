"""Cells that no run of the installed versions can use any more."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import drivederain
from drivederain.engine.keys import ENGINE_VERSION
from drivederain.errors import OptionError


def installed_versions() -> dict[str, str]:
    """The versions that keys name, as they are installed here; reads metadata, and imports no torch.

    Raises:
        OptionError: torch is not installed, so that nothing can be said.
    """
    try:
        return {"drivederain": drivederain.__version__, "engine": str(ENGINE_VERSION), "torch": version("torch")}
    except PackageNotFoundError:
        raise OptionError("--stale: torch is not installed here, so every cell would count as stale") from None


def is_stale(parts: Mapping[str, Any] | None, installed: Mapping[str, str]) -> bool:
    """Whether a key names another version. A key that names none, or cannot be read, is not known to be stale."""
    named = {name: (parts or {}).get(name) for name in installed}
    return any(
        isinstance(value, str | int) and _public(str(value)) != _public(installed[name])
        for name, value in named.items()
    )


def _public(text: str) -> str:
    """``2.15.0`` of ``2.15.0+cu130``: metadata and ``torch.__version__`` do not always both have the local part."""
    return text.partition("+")[0]
