"""Entry point."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec

METHODS = (
    ("raises-at-load", "RaisesAtLoad"),
    ("raises-midway", "RaisesMidway"),
    ("returns-nan", "ReturnsNaN"),
    ("wrong-shape", "WrongShape"),
    ("hangs", "Hangs"),
    ("grows", "Grows"),
    ("exits", "Exits"),
    ("writes-into-input", "WritesIntoInput"),
    ("keeps-parameters", "KeepsParameters"),
    ("unseeded", "Unseeded"),
    ("of-255", "Of255"),
    ("looks-at-its-batch", "LooksAtItsBatch"),
    ("forgets-weights", "ForgetsWeights"),
    ("sees-the-whole", "SeesTheWhole"),
)


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name=name,
            summary="breaks",
            kind="stage",
            implementation=f"drivederain_plugin_misbehaves.methods:{class_name}",
            needs_weights=name in ("keeps-parameters", "forgets-weights"),
            trainable=name in ("keeps-parameters", "forgets-weights"),
            licence="Apache-2.0",
        )
        for name, class_name in METHODS
    ]
