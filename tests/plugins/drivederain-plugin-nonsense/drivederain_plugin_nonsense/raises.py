"""Raises when it is asked."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl


@hookimpl
def drivederain_metrics() -> list[str]:
    raise ZeroDivisionError("no metric today")
