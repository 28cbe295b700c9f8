"""Entry point of the baselines."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="identity",
            summary="the rainy input as it is: the reference row",
            kind="stage",
            implementation="drivederain_methods.baselines.identity:Identity",
            needs=Needs(precisions=("fp32",)),
            needs_weights=False,
            licence="Apache-2.0",
        )
    ]
