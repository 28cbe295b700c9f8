"""``drivederain-bench env``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table


def env(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, as for a bug report.")] = False,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of outputs and weights.", show_default="DRIVEDERAIN_CACHE, else the user's"),
    ] = None,
) -> None:
    """Show what is there: versions, hardware, torch build, weights, plugins and the cache."""
    from drivederain.cli.console import console, quiet_libraries
    from drivederain.cli.values import cache_folder
    from drivederain.engine.environment import inventory
    from drivederain.registry import Registry

    quiet_libraries()
    there = inventory(Registry.discover(), cache_folder(cache))
    if as_json:
        typer.echo(json.dumps(there, indent=1))
        return
    for table in (_machine(there), _accelerators(there), _packages(there), _weights(there), _plugins(there)):
        if table.row_count:
            console.print(table)


def _machine(there: Mapping[str, Any]) -> Table:
    table = _table("what", "is there")
    program, system, memory, cache = there["program"], there["system"], there["memory"], there["cache"]
    git = program["git"]
    commit = f", commit {git['commit'][:12]}{' with changes' if git['dirty'] else ''}" if git else ""
    granted = system["cgroup_cores"]
    limit = memory["cgroup_limit"]
    rows = {
        "program": f"drivederain {program['version']}{commit}",
        "Python": f"{there['python']['implementation']} {there['python']['version']}",
        "system": f"{system['platform']}, {system['architecture']}",
        "processor": system["processor"],
        "cores": f"{system['cores']}, {system['usable_cores']} usable by this process"
        + (f", time of {granted:g} granted by its control group" if granted is not None else ""),
        "memory": f"{_gib(memory['physical'])}, {_gib(memory['available'])} available"
        + (f", limited to {_gib(limit)} by the control group" if limit is not None else ""),
        "cache": f"{cache['folder']}{'' if cache['exists'] else ' (not there yet)'}, "
        f"{_gib(cache['disk_free'])} of {_gib(cache['disk'])} free on its disk",
        "torch": _torch(there["torch"]),
    }
    return _filled(table, rows.items())


def _torch(build: Mapping[str, Any]) -> str:
    if "error" in build:
        return f"cannot be imported: {build['error']}"
    built_for = f"CUDA {build['cuda']}" if build["cuda"] else f"ROCm {build['rocm']}" if build["rocm"] else "the CPU"
    words = [f"{build['version']}, built for {built_for}", f"threads: {build['threads']}, {build['cpu_instructions']}"]
    if build["cudnn"]:
        words.append(f"cuDNN {build['cudnn']}")
    if build["no_cuda"]:
        words.append(f"no CUDA: {build['no_cuda']}")
    return "; ".join(words)


def _accelerators(there: Mapping[str, Any]) -> Table:
    table = _table("accelerator", "name", "memory", "driver", "compute capability", "bf16")
    return _filled(
        table,
        (
            (
                each["device"],
                each["name"],
                _gib(each["memory"]) if each["memory"] else "shared",
                each["driver"],
                each["compute_capability"],
                "yes" if each["bf16"] else "no",
            )
            for each in there["accelerators"]
        ),
    )


def _packages(there: Mapping[str, Any]) -> Table:
    return _filled(_table("package", "version"), there["packages"].items())


def _weights(there: Mapping[str, Any]) -> Table:
    table = _table("weights of", "name", "class", "size", "SHA-256", "licence, or what they were trained on")
    both = [*there["weights"]["shipped"], *there["weights"]["cached"]]
    return _filled(
        table,
        (
            (
                each["method"],
                each["name"],
                each["class"],
                f"{each['bytes'] / 1e6:.1f} MB",
                each["state"],
                each.get("licence") or f"{each['trained_on']} ({each['budget']})",
            )
            for each in both
        ),
    )


def _plugins(there: Mapping[str, Any]) -> Table:
    table = _table("plugin", "distribution", "status", "reason")
    return _filled(
        table,
        (
            (each["entry_point"], f"{each['distribution']} {each['version']}", each["status"], each["reason"])
            for each in there["plugins"]
        ),
    )


def _table(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _filled(table: Table, rows: Iterable[Iterable[str]]) -> Table:
    from rich.markup import escape

    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _gib(count: float) -> str:
    return f"{count / 2**30:.1f} GiB"
