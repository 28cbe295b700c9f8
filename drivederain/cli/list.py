"""``drivederain-bench list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from drivederain.registry import Registry

KINDS = ("methods", "datasets", "metrics", "plugins", "suites")


def list_(kind: Annotated[str, typer.Argument(metavar="|".join(KINDS), help="What to list.")]) -> None:
    """List what is installed: methods, datasets, metrics, plugins (broken ones with the reason) or suites."""
    from drivederain.cli.console import console
    from drivederain.cli.values import one_of
    from drivederain.registry import Registry

    one_of("list", kind, KINDS)
    registry = Registry.discover()
    tables = {"methods": _methods, "datasets": _datasets, "metrics": _metrics, "plugins": _plugins, "suites": _suites}
    console.print(tables[kind](registry))
    broken = [plugin for plugin in registry.plugins if plugin.status == "failed"]
    if broken and kind != "plugins":
        console.print(
            f"{len(broken)} plugin(s) could not be used: see `drivederain-bench list plugins`", soft_wrap=True
        )


def _table(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _methods(registry: Registry) -> Table:
    from rich.markup import escape

    from drivederain.implementation import install_hint, missing_modules

    table = _table("method", "kind", "summary", "weights", "licence", "from")
    for name, spec in registry.methods.items():
        weights = ", ".join(dict.fromkeys(each.weights_class for each in spec.weights)) or (
            "trained here" if spec.trainable else "given" if spec.needs_weights else "none needed"
        )
        licence = f"NON-COMMERCIAL: {spec.licence}" if spec.non_commercial else spec.licence
        owner = registry.owner("method", name)
        if missing_modules(spec.requires):
            weights = f"not usable: {install_hint(owner, spec.extra)}"
        presets = ", ".join(preset.name for preset in spec.presets)
        summary = f"{spec.summary}; --preset {presets}" if presets else spec.summary
        text = name if not spec.location else f"{name}:{spec.location}"
        table.add_row(*map(escape, (text, spec.kind, summary, weights, licence, owner)))
    return table


def _datasets(registry: Registry) -> Table:
    from rich.markup import escape

    table = _table("--data", "summary", "from")
    for name, spec in registry.datasets.items():
        text = name if not spec.location else f"{name}:{spec.location}"
        table.add_row(*map(escape, (text, spec.summary, registry.owner("dataset", name))))
    return table


def _metrics(registry: Registry) -> Table:
    from rich.markup import escape

    table = _table("metric", "variants", "better", "unit", "summary", "from")
    for name, spec in registry.metrics.items():
        cells = (
            name,
            ", ".join(spec.variants),
            spec.direction,
            spec.unit,
            spec.summary,
            registry.owner("metric", name),
        )
        table.add_row(*map(escape, cells))
    return table


def _plugins(registry: Registry) -> Table:
    from rich.markup import escape

    table = _table("entry point", "distribution", "status", "gives", "reason")
    for plugin in registry.plugins:
        gives = ", ".join((*plugin.methods, *plugin.datasets, *plugin.metrics))
        cells = (plugin.entry_point, f"{plugin.distribution} {plugin.version}", plugin.status, gives, plugin.reason)
        table.add_row(*map(escape, cells))
    return table


def _suites(registry: Registry) -> Table:
    from rich.markup import escape

    from drivederain.cli.suites import builtin_suites

    table = _table("suite", "description", "methods", "data", "budget")
    for name, suite in builtin_suites().items():
        cells = (
            name,
            suite.description,
            ", ".join(suite.methods),
            ", ".join(suite.data) or "give --data",
            suite.budget,
        )
        table.add_row(*map(escape, cells))
    return table
