"""Returns names where specs are wanted."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl


@hookimpl
def drivederain_methods() -> list[str]:
    return ["median", "mean"]
