"""``drivederain-bench report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drivederain.registry import Registry
    from drivederain.results.run_folder import RunFolder


def report(folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `run --out` wrote.")]) -> None:
    """Render a run's report again from its results."""
    from drivederain.cli.console import console
    from drivederain.registry import Registry
    from drivederain.results.run_folder import RunFolder

    console.print(f"report: {write_report(RunFolder(folder), Registry.discover())}", soft_wrap=True, highlight=False)


def write_report(folder: RunFolder, registry: Registry) -> Path:
    """Render ``report/index.html``; a plugin whose section fails is named on the terminal."""
    from drivederain_reports.page import render

    from drivederain.cli.console import errors

    folder.about()
    sections, failures = registry.report_sections(folder)
    for failure in failures:
        errors.print(f"note: {failure.plugin}: its report section failed: {failure.reason}", markup=False, soft_wrap=True)
    return render(folder, [section.section for section in sections])
