"""``drivederain-bench``: the verbs, each imported only when it is called."""

from __future__ import annotations

import errno
import sys
from typing import NoReturn

import typer

from drivederain import __version__
from drivederain.cli.cache import cache
from drivederain.cli.compare import compare
from drivederain.cli.derain import derain
from drivederain.cli.doctor import doctor
from drivederain.cli.env import env
from drivederain.cli.export import export
from drivederain.cli.list import list_
from drivederain.cli.merge import merge
from drivederain.cli.plugin import plugin
from drivederain.cli.report import report
from drivederain.cli.run import run
from drivederain.cli.show import show
from drivederain.cli.study import study
from drivederain.cli.synth import synth
from drivederain.cli.train import train
from drivederain.cli.tune import tune
from drivederain.cli.weights import weights
from drivederain.errors import DriveDeRainError

_OUT_OF_SPACE = (errno.ENOSPC, errno.EDQUOT)

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
def _common(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Benchmark methods that take rain off driving photographs, above all drops and run-offs on the windshield."""


app.command("run")(run)
app.command("train")(train)
app.command("tune")(tune)
app.command("show")(show)
app.command("list")(list_)
app.command("synth")(synth)
app.command("derain")(derain)
app.command("report")(report)
app.command("export")(export)
app.command("compare")(compare)
app.command("merge")(merge)
app.add_typer(study)
app.add_typer(cache)
app.add_typer(weights)
app.add_typer(plugin)
app.command("env")(env)
app.command("doctor")(doctor)


def main() -> None:
    """Run the command line. What the user can mend is one plain message and the exit status 2."""
    try:
        app(prog_name="drivederain-bench")
    except DriveDeRainError as error:
        _refuse(str(error))
    except OSError as error:
        # Full disks, folders without permission. Without a file or a code it is a bug and keeps its traceback.
        if error.errno in _OUT_OF_SPACE:
            _refuse("no space is left on the disk. Free some, or put --cache and --out elsewhere, and start again.")
        if error.filename is None or error.errno is None:
            raise
        _refuse(f"{error.filename}: {error.strerror}. Check the path and its permissions.")


def _refuse(message: str) -> NoReturn:
    typer.secho(f"error: {message}", fg=typer.colors.RED, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
