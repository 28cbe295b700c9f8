"""``drivederain-bench report``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drivederain.registry import Registry
    from drivederain.results.run_folder import RunFolder


def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `run --out` wrote.")],
    reference: Annotated[
        str,
        typer.Option(metavar="METHOD", help="Compare all methods with this one."),
    ] = "identity",
) -> None:
    """Render a run's report again from its results."""
    from drivederain.cli.console import console
    from drivederain.registry import Registry
    from drivederain.results.run_folder import RunFolder

    written = write_report(RunFolder(folder), Registry.discover(), reference=reference)
    console.print(f"report: {written}", soft_wrap=True, highlight=False)


def write_report(
    folder: RunFolder, registry: Registry, warn: Callable[[str], None] | None = None, reference: str = "identity"
) -> Path:
    """Render ``report/index.html``; a plugin whose section fails is told to ``warn``, else to the terminal.

    Raises:
        DataError: the folder holds no whole run, or one of another version, or without the method ``reference``.
    """
    from drivederain.errors import DataError
    from drivederain.results.schema import SCHEMA_VERSION
    from drivederain_reports.page import render

    if folder.events_jsonl.is_file() and not folder.run_json.exists():
        raise DataError(f"{folder.path} was stopped before its end. Start the same `run` command again: it goes on.")
    version = folder.about().get("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(
            f"{folder.run_json} has the schema version {version}, this program reads {SCHEMA_VERSION}. "
            "Start the same `run` command again to write it anew."
        )
    sections, failures = registry.report_sections(folder)
    for failure in failures:
        (warn or _note)(f"{failure.plugin}: its report section failed: {failure.reason}")
    return render(folder, [section.section for section in sections], reference)


def _note(words: str) -> None:
    from drivederain.cli.console import errors

    errors.print(f"note: {words}", markup=False, soft_wrap=True)
