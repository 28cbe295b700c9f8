"""``drivederain-bench``: the verbs, each imported only when it is called."""

from __future__ import annotations

import sys

import typer

from drivederain import __version__
from drivederain.cli.derain import derain
from drivederain.cli.list import list_
from drivederain.cli.report import report
from drivederain.cli.run import run
from drivederain.cli.synth import synth
from drivederain.errors import DriveDeRainError

app = typer.Typer(
    name="drivederain-bench",
    help="Benchmark methods that take rain off driving photographs, above all drops and run-offs on the windshield.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: a line an option, and no time spent on importing rich
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"drivederain-bench {__version__}")
        raise typer.Exit


@app.callback()
def _common(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version.")) -> None:
    """Benchmark methods that take rain off driving photographs, above all drops and run-offs on the windshield."""


app.command("run")(run)
app.command("list")(list_)
app.command("synth")(synth)
app.command("derain")(derain)
app.command("report")(report)


def main() -> None:
    """Run the command line. A user's mistake is one plain message and the exit status 2."""
    try:
        app()
    except DriveDeRainError as error:
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.secho("stopped; the same command goes on where it was", fg=typer.colors.YELLOW, err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
