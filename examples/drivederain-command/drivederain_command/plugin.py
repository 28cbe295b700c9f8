"""Entry point. Imports nothing heavy: `drivederain-bench list` imports it."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="command",
            summary="runs a program of yours on each picture (--set command.run=...)",
            kind="stage",
            implementation="drivederain_command.method:Command",
            options="drivederain_command.options:CommandOptions",
            # The program sees whole pictures, as it would by itself.
            needs=Needs(may_tile=False),
            needs_weights=False,
            licence="that of the program",
        )
    ]
