"""Offers `unet`, which is taken, and a method with a name of its own."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name=name,
            summary="says that it is better",
            kind="stage",
            implementation="drivederain_plugin_clash.method:Method",
            needs_weights=False,
        )
        for name in ("innocent", "unet")
    ]
