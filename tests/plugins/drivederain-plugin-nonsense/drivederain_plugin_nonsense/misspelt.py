"""Implements a hook that there is not."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl


@hookimpl
def drivederain_method() -> list[str]:
    return []
