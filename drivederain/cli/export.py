"""``drivederain-bench export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from drivederain.results.run_folder import RunFolder

FORMATS = ("csv", "json", "markdown", "latex", "parquet", "svg", "png")
FIGURES = ("svg", "png")
TEXT = ("markdown", "latex")


def export(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `run --out` wrote.")],
    format_: Annotated[
        str, typer.Option("--format", help="csv, json, markdown, latex, parquet; svg or png: figures.")
    ] = "csv",
    out: Annotated[
        Path | None, typer.Option(help="File; for figures a folder.", show_default="the terminal, RUN/figures")
    ] = None,
    what: Annotated[str, typer.Option(help="summary, images (a row each) or timings.")] = "summary",
    metrics: Annotated[
        str | None, typer.Option(help="As in psnr,psnr_y[mprnet].", show_default="all; psnr,ssim,lpips in text")
    ] = None,
) -> None:
    """Write a run's figures as a table for other programs or a paper, or its charts as files."""
    from drivederain.cli import values
    from drivederain.cli.console import console
    from drivederain.errors import OptionError
    from drivederain.results.export.frames import WHAT
    from drivederain.results.run_folder import RunFolder, write_atomically

    run = RunFolder(folder)
    chosen = values.one_of("--format", format_, FORMATS)
    if chosen in FIGURES:
        if what != "summary" or metrics is not None:
            raise OptionError(f"--format {chosen} writes all charts: leave out --what and --metrics")
        for path in _figures(run, chosen, out or folder / "figures"):
            console.print(str(path), soft_wrap=True, highlight=False, markup=False)
        return
    part = values.one_of("--what", what, WHAT)
    if chosen in TEXT and part != "summary":
        raise OptionError(f"--format {chosen} is for the summary. Give --format csv for {part}.")
    if chosen == "parquet" and out is None:
        raise OptionError("--format parquet is no text for the terminal. Give a file with --out.")
    data = _table(run, chosen, part, values.names(metrics) if metrics is not None else None)
    if out is None:
        typer.echo(data.decode("utf-8"), nl=False)
    else:
        write_atomically(out, data)
        console.print(f"{out}: {len(data):,} bytes", soft_wrap=True, highlight=False, markup=False)


def _table(run: RunFolder, kind: str, what: str, metrics: tuple[str, ...] | None) -> bytes:
    from drivederain.results.export import data_files, text_tables
    from drivederain.results.export.frames import exported

    if kind not in TEXT:
        frame = exported(run, what, metrics or ())
        makers: dict[str, Any] = {
            "csv": data_files.csv_file,
            "json": data_files.json_file,
            "parquet": data_files.parquet_file,
        }
        made: bytes = makers[kind](frame)
        return made
    about = run.about()
    decimals = {(metric["name"], metric["variant"]): int(metric.get("decimals", 2)) for metric in about["metrics"]}
    there = [metric["name"] for metric in about["metrics"]]
    headline = tuple(name for name in ("psnr", "ssim", "lpips") if name in there) or tuple(dict.fromkeys(there))
    tables = text_tables.text_tables(exported(run, "summary", metrics or headline), decimals)
    return text_tables.markdown_file(tables) if kind == "markdown" else text_tables.latex_file(tables)


def _figures(run: RunFolder, kind: str, folder: Path) -> list[Path]:
    from drivederain.results.run_folder import write_atomically
    from drivederain_reports.charts.figure import png_file, svg_file
    from drivederain_reports.measured import measured

    written = []
    for of_group in measured(run).figures():
        for figure in of_group:
            data = png_file(figure) if kind == "png" else svg_file(figure).encode("utf-8")
            written.append(folder / f"{figure.name}.{kind}")
            write_atomically(written[-1], data)
    return written
