"""``drivederain-bench train``."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from drivederain.engine.training_run.run import TrainOutcome
    from drivederain.engine.training_run.settings import TrainSettings
    from drivederain.training.progress import Budget


def train(
    method: Annotated[
        str, typer.Argument(metavar="METHOD", help="As in unet, or unet+diffusion to train the refiner.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC", help="What to train on, as synthetic:FOLDER; again for more.", show_default="--resume's"
        ),
    ] = None,
    mix: Mix = None,
    val_data: ValData = None,
    val_limit: ValLimit = None,
    real: Annotated[
        str | None, typer.Option(metavar="PHOTOS", help="Rainy photos to look at during training.", show_default="none")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the training.", show_default="runs/METHOD")] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Go on with a training, with its own options.", show_default="begin one"),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="A recipe, as phase2; see `list methods`.", show_default="the method's")
    ] = "",
    joint: Annotated[
        bool, typer.Option("--joint", help="Train the stages before a refiner too, together with it.")
    ] = False,
    folds: Annotated[
        int | None,
        typer.Option(help="Cross-fit a refiner: so many stages that did not see the scene.", show_default="none"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="METHOD.option or training.NAME; again for more.",
            show_default="none",
        ),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(metavar="METHOD=PATH", help="Weights to start from, or of a stage before.", show_default="none"),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="End after so many epochs.", show_default="the preset's")] = None,
    steps: Annotated[int | None, typer.Option(help="End after so many steps.", show_default="the preset's")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="End after so many minutes.", show_default="the preset's, else 20")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of start, order, crops and rain.", show_default="0")] = None,
    intensity: Intensity = None,
    device: Device = "auto",
    precision: Precision = None,
    devices: Annotated[int | None, typer.Option(help="GPUs (or CPU processes) on each node.", show_default="1")] = None,
    nodes: Annotated[int | None, typer.Option(help="Machines.", show_default="1")] = None,
    workers: Workers = None,
    validate_every: ValidateEvery = None,
    checkpoint_every: Annotated[
        int | None, typer.Option(help="Epochs between weights that stay; 0: none.", show_default="10")
    ] = None,
    samples_every: Annotated[
        int | None, typer.Option(help="Epochs between pictures of samples; 0: none.", show_default="5")
    ] = None,
    real_every: Annotated[
        int | None, typer.Option(help="Epochs between pictures of --real; 0: none.", show_default="10")
    ] = None,
    save_seconds: Annotated[float, typer.Option(help="Seconds between two states to resume from, at least.")] = 60,
    save_steps: Annotated[
        int | None, typer.Option(help="As well after so many steps.", show_default="by the clock")
    ] = None,
    events: Annotated[bool, typer.Option(help="Write events for TensorBoard.")] = True,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out unusable files and name them.")] = False,
    data_option: DataOption = None,
    download: Download = False,
    cache: Cache = None,
) -> None:
    """Train a method on pairs or on clear photos with drawn rain; checkpoints, curves and samples go to a folder."""
    typed = dict(locals())  # all of the options, before there are other names
    from drivederain.cli.console import quiet_libraries, stoppable

    quiet_libraries()
    settings = train_settings(typed, ("drivederain-bench", *sys.argv[1:]))
    again = shlex.join(["drivederain-bench", "train", method, "--resume", str(settings.out)])
    go_on = f"what is done is kept. Go on with: {again}"
    with stoppable(go_on):
        outcome = _execute(settings)
    if outcome.record.interrupted:
        from drivederain.cli.console import errors

        errors.print(f"stopped: {go_on}", style="yellow", markup=False, soft_wrap=True, highlight=False)
        raise typer.Exit(128 + outcome.record.signal)


def train_settings(typed: Mapping[str, Any], command: Sequence[str]) -> TrainSettings:
    """What was typed, upon what a resumed training was begun with, upon the defaults.

    Args:
        typed: a value for each parameter of ``train``.
        command: the words that ask for it, for the record.

    Raises:
        DataError: ``--resume`` and no training there.
        OptionError: values that are not usable, alone or together.
    """
    from drivederain.cli import values
    from drivederain.engine.training_run.settings import TrainSettings, settings_of
    from drivederain.errors import OptionError
    from drivederain.results.training_folder import TrainingFolder

    method, resume, out, intensity = typed["method"], typed["resume"], typed["out"], typed["intensity"]
    precision = typed["precision"]
    given: dict[str, Any] = {
        "data": tuple(typed["data"]) if typed["data"] else None,
        "mix": values.shares("--mix", typed["mix"]),
        "val_data": tuple(typed["val_data"]) if typed["val_data"] else None,
        "joint": typed["joint"] or None,
        "folds": values.at_least("--folds", typed["folds"], 2),
        "val_limit": values.at_least("--val-limit", typed["val_limit"], 1),
        "real": typed["real"],
        "preset": typed["preset"] or None,
        "options": values.training_settings(typed["set_"] or (), method) or None,
        "weights": values.weights(typed["weights"] or ()) or None,
        "budget": _budget(typed["epochs"], typed["steps"], typed["minutes"]),
        "seed": values.at_least("--seed", typed["seed"], 0),
        "intensities": values.intensities(intensity) if intensity is not None else None,
        "precision": values.one_of("--precision", precision, ("auto", "fp32", "bf16", "fp16")) if precision else None,
        "devices": values.at_least("--devices", typed["devices"], 1),
        "nodes": values.at_least("--nodes", typed["nodes"], 1),
        "validate_every": values.at_least("--validate-every", typed["validate_every"], 1),
        "checkpoint_every": values.at_least("--checkpoint-every", typed["checkpoint_every"], 0),
        "samples_every": values.at_least("--samples-every", typed["samples_every"], 0),
        "real_every": values.at_least("--real-every", typed["real_every"], 0),
        "data_options": values.pairs("--data-option", typed["data_option"] or ()) or None,
        "skip_bad": typed["skip_bad"] or None,
    }
    always: dict[str, Any] = {
        "cache": values.cache_folder(typed["cache"]),
        "device": values.one_of("--device", typed["device"], ("auto", "cpu", "cuda", "mps")),
        "workers": values.at_least("--workers", typed["workers"], 0),
        "save_seconds": values.seconds("--save-seconds", typed["save_seconds"]),
        "save_steps": values.at_least("--save-steps", typed["save_steps"], 1),
        "tensorboard": typed["events"],
        "download": typed["download"],
        "command": tuple(command),
    }
    if resume is not None and out is not None:
        raise OptionError("--resume goes on in its own folder: leave --out out, or copy the folder first")
    chosen = {name: value for name, value in given.items() if value is not None}
    if resume is not None:
        kept = settings_of(TrainingFolder(resume), always["cache"])
        if kept.method != method:
            raise OptionError(f"--resume {resume}: {kept.method} was trained there, not {method}")
        # What is typed of one option leaves the others as the training was begun with.
        options = {name: dict(typed) for name, typed in kept.options.items()}
        for name, more in chosen.get("options", {}).items():
            options[name] = options.get(name, {}) | more
        merged = {"options": options} | {
            name: {**getattr(kept, name), **chosen.get(name, {})} for name in ("weights", "data_options")
        }
        return replace(kept, **(chosen | merged | always))
    if not chosen.get("data"):
        raise OptionError("--data is missing: say what to train on, as in --data synthetic:PHOTOS")
    return TrainSettings(method=method, out=out or default_folder(method), **(chosen | always))


def default_folder(method: str) -> Path:
    """Where a training goes that was told no folder."""
    return Path("runs") / re.sub(r"[^A-Za-z0-9]+", "-", method).strip("-")


def _budget(epochs: int | None, steps: int | None, minutes: float | None) -> Budget | None:
    from drivederain.training.progress import Budget

    return None if epochs is steps is minutes is None else Budget(steps=steps, minutes=minutes, epochs=epochs)


def _execute(settings: TrainSettings) -> TrainOutcome:
    from drivederain.cli.console import console
    from drivederain.cli.training_display import TrainingDisplay, show_outcome
    from drivederain.registry import Registry

    # Names are checked before torch is imported: a typing error is answered at once.
    registry = Registry.discover()
    registry.chain(settings.method)
    with console.status("loading torch"):
        from drivederain.engine.training_run.run import is_first_process, train_method
    console.quiet = not is_first_process()
    with TrainingDisplay() as display:
        outcome = train_method(settings, registry, display)
    show_outcome(outcome)
    return outcome
