"""Entry point of the checkpoints that spandrel recognises."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="checkpoint",
            summary="a file of any architecture that spandrel recognises, named after it",
            kind="stage",
            location="PATH",
            implementation="drivederain_methods.checkpoint.method:SpandrelCheckpoint",
            # Sizes differ from file to file, and spandrel pads to them.
            needs=Needs(tile=1024),
            licence="that of the file and its architecture (in the report)",
            requires=("spandrel",),
            extra="nc",
        )
    ]
