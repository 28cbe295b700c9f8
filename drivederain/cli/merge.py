"""``drivederain-bench merge``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def merge(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders that `run --out` wrote, two or more.")],
    out: Annotated[Path, typer.Option(help="Folder of the joined run; a new one.")],
    on_conflict: Annotated[
        str, typer.Option(help="Rows that contradict each other: refuse, or keep those of the first RUN.")
    ] = "refuse",
) -> None:
    """Join the shards of a run, or runs of other people on the same data, and write the report."""
    from drivederain.cli import values
    from drivederain.cli.console import console, errors, stoppable
    from drivederain.registry import Registry

    chosen: Any = values.one_of("--on-conflict", on_conflict, ("refuse", "first"))
    registry = Registry.discover()
    from drivederain.cli.report import write_report
    from drivederain.cli.summary import show_summary
    from drivederain.results.merging.merge import merge_runs

    with stoppable("nothing was written"), console.status("joining the runs"):
        command = ("drivederain-bench", *sys.argv[1:])
        merged = merge_runs(runs, out, on_conflict=chosen, command=command)
    page = write_report(merged.folder, registry)
    show_summary(merged.folder)
    if merged.conflicting:
        errors.print(
            f"note: the runs contradict each other in {merged.conflicting} rows; those of {runs[0]} are kept, "
            f"{merged.folder.path / 'conflicts.jsonl'} lists the others",
            markup=False,
            soft_wrap=True,
        )
    once = f", {merged.identical} of them in more than one run" if merged.identical else ""
    console.print(f"{merged.rows} rows of {len(runs)} runs{once}", markup=False, highlight=False)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    raise typer.Exit(merged.exit_status)
