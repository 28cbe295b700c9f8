"""``drivederain-bench doctor``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drivederain.engine.doctor.check import Check

SUITE = "demo"
"""The suite of a run that names none."""
STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of outputs and weights.", show_default="DRIVEDERAIN_CACHE, else the user's"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that runs are written to.")] = Path("runs"),
) -> None:
    """Check what is missing or broken for which feature, and what mends it. Exit status 1: the default run fails."""
    from drivederain.cli.console import errors, quiet_libraries
    from drivederain.cli.suites import read_suite
    from drivederain.cli.values import cache_folder
    from drivederain.engine.doctor.examine import examine
    from drivederain.engine.environment import without_home
    from drivederain.registry import Registry

    quiet_libraries()
    chains = read_suite(SUITE).methods
    methods = dict.fromkeys(name for chain in chains for name in chain.split("+"))
    with errors.status("looking at what is there"):
        checks = list(examine(Registry.discover(), cache_folder(cache), out, tuple(methods)))
    if as_json:
        typer.echo(json.dumps(without_home(_document(checks)), indent=1))
    else:
        _show(checks)
    raise typer.Exit(int(any(check.fails for check in checks)))


def _document(checks: Sequence[Check]) -> dict[str, object]:
    return {"default_run_works": not any(check.fails for check in checks), "checks": [asdict(each) for each in checks]}


def _show(checks: Sequence[Check]) -> None:
    from rich.text import Text

    from drivederain.cli.console import console
    from drivederain.engine.environment import without_home

    # Lines and no table: a command that mends something can be copied, however narrow the terminal is.
    feature = ""
    for check in checks:
        if check.feature != feature:
            feature = check.feature
            console.print(Text(f"\n{feature}", style="bold"))
        optional = "" if check.needed or check.status == "ok" else " (optional)"
        line = Text(f"  {check.status:<8}", style=STYLES[check.status])
        line.append(f"{check.name}{optional}: {without_home(check.detail)}", style="default")
        console.print(line, soft_wrap=True, highlight=False)
        if check.remedy and check.status != "ok":
            console.print(Text(f"{'':<10}{without_home(check.remedy)}"), soft_wrap=True, highlight=False)
    console.print()
    failing = [check for check in checks if check.fails]
    if failing:
        names = ", ".join(f"{check.feature}: {check.name}" for check in failing)
        console.print(f"The default run would not work: {names}", style="red", markup=False, soft_wrap=True)
    else:
        console.print("The default run works here.", soft_wrap=True)
