"""``drivederain-bench tune``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from drivederain.cli.option_types import (
    Cache,
    DataOption,
    Device,
    Download,
    Intensity,
    Mix,
    Precision,
    ValData,
    ValidateEvery,
    ValLimit,
    Workers,
)

if TYPE_CHECKING:
    from drivederain.engine.tuning.run import TuneOutcome
    from drivederain.engine.tuning.settings import TuneSettings
    from drivederain.registry import Registry

NOT_ASKED: Final[Mapping[str, Any]] = {
    "resume": None, "joint": False, "folds": None, "devices": None, "nodes": None, "checkpoint_every": None,
    "samples_every": None, "real_every": None, "save_seconds": 60.0, "save_steps": None, "events": False,
}  # fmt: skip
"""Parameters of ``train`` that ``tune`` has not: a study goes on by itself, and its trainings leave no pictures."""


def tune(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="As in unet, or unet+diffusion to tune the refiner.")],
    data: Annotated[
        list[str],
        typer.Option(metavar="SPEC", help="What to train on, as synthetic|paired|v40:FOLDER; again for more."),
    ],
    mix: Mix = None,
    val_data: ValData = None,
    val_limit: ValLimit = None,
    val_size: Annotated[
        str | None, typer.Option(help="native, or their shorter side.", show_default="what the baseline trains at")
    ] = None,
    real: Annotated[
        str | None, typer.Option(metavar="PHOTOS", help="Rainy photos for training.consistency.", show_default="none")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the study.", show_default="runs/tune-METHOD")] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Variables, as depth,encoder, in this order.", show_default="all"),
    ] = None,
    grid: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Variables in TOML.", show_default="the method's own")
    ] = None,
    try_: Annotated[
        list[str] | None,
        typer.Option(
            "--try",
            metavar="NAME=VALUES",
            help="Values, as training.learning_rate=1e-4,3e-4; again for more.",
            show_default="none",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Trainings of the baseline and of what looks better.")] = 3,
    margin: Annotated[float, typer.Option(help="Standard errors of seed noise to be better by.")] = 2.0,
    preset: Annotated[
        str, typer.Option(help="The baseline's recipe, as phase2; see `list methods`.", show_default="the method's")
    ] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="METHOD.option or training.NAME of the baseline; again for more.",
            show_default="none",
        ),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(metavar="METHOD=PATH", help="Weights to start from, or of a stage before.", show_default="none"),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each training.", show_default="25")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of each training.", show_default="by epochs")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes of each training.", show_default="by epochs")] = None,
    seed: Annotated[
        int | None, typer.Option(help="The first seed; also that of the data's rain.", show_default="0")
    ] = None,
    intensity: Intensity = None,
    device: Device = "auto",
    precision: Precision = None,
    workers: Workers = None,
    validate_every: ValidateEvery = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Train again what failed before.")] = False,
    keep_weights: Annotated[bool, typer.Option("--keep-weights", help="Keep the weights of all trainings.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out unusable files and name them.")] = False,
    data_option: DataOption = None,
    download: Download = False,
    cache: Cache = None,
) -> None:
    """Tune a method one variable at a time, keeping what is better than seed noise; a stopped study goes on."""
    typed = dict(locals())  # all of the options, before there are other names
    from drivederain.cli.console import console, go_on, quiet_libraries, stoppable
    from drivederain.registry import Registry

    quiet_libraries()
    # Names are checked before torch is imported: a typing error is answered at once.
    registry = Registry.discover()
    registry.chain(method)
    with stoppable(go_on()):
        with console.status("loading torch"):
            settings = tune_settings(typed, ("drivederain-bench", *sys.argv[1:]), registry)
        _execute(settings, registry)


def tune_settings(typed: Mapping[str, Any], command: tuple[str, ...], registry: Registry) -> TuneSettings:
    """What was typed, upon the defaults.

    Args:
        typed: a value for each parameter of ``tune``.
        command: the words that ask for it, for the record.

    Raises:
        OptionError: values that are not usable, alone or together, or Optuna is not installed.
        SpecError: there is no such method.
    """
    from drivederain.cli import values
    from drivederain.cli.train import default_folder, train_settings
    from drivederain.engine.tuning.grid import choose
    from drivederain.engine.tuning.ledger import check_installed
    from drivederain.engine.tuning.settings import BUDGET, TuneSettings
    from drivederain.errors import OptionError

    if not 0 <= typed["margin"] < float("inf"):
        raise OptionError(f"--margin {typed['margin']:g}: write a number, 0 or more")
    base = train_settings({**NOT_ASKED, **typed}, command)
    val_size = typed["val_size"]
    base = replace(
        base,
        out=typed["out"] or default_folder(f"tune-{typed['method']}"),
        budget=base.budget or BUDGET,
        val_size=None if val_size is None else values.size(val_size, "--val-size") or "native",
    )
    settings = TuneSettings(
        base=base,
        variables=choose(
            registry.chain(base.method).last,
            file=typed["grid"],
            tried=typed["try_"] or (),
            only=values.names(typed["only"] or ""),
        ),
        seeds=values.at_least("--seeds", typed["seeds"], 2) or 2,
        margin=typed["margin"],
        retry_failed=typed["retry_failed"],
        keep_weights=typed["keep_weights"],
    )
    check_installed()
    return settings


def _execute(settings: TuneSettings, registry: Registry) -> TuneOutcome:
    from drivederain.cli.console import Terminated
    from drivederain.cli.tuning_display import TuningDisplay, show_outcome
    from drivederain.engine.tuning.run import tune_method
    from drivederain.engine.tuning.trial import Interrupted

    display = TuningDisplay()
    try:
        with display:
            outcome = tune_method(settings, registry, display)
    except Interrupted as stopped:
        raise (Terminated if stopped.number == signal.SIGTERM else KeyboardInterrupt) from None
    show_outcome(outcome)
    return outcome
