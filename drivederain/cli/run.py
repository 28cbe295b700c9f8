"""``drivederain-bench run``."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drivederain.cli.option_types import Cache, DataOption, Device, Download, Intensity, Precision

if TYPE_CHECKING:
    from drivederain.cli.suites import Suite
    from drivederain.engine.settings import RunSettings
    from drivederain.registry import Registry
    from drivederain.training.progress import Budget

Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="SPEC",
        help="As in synthetic:FOLDER (see `list`); again for more.",
        show_default="the suite's",
    ),
]


def run(
    methods: Annotated[
        str | None, typer.Option(help="Chains, as in unet,unet+diffusion,restormer.", show_default="the suite's")
    ] = None,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.", show_default="runs/SUITE or runs/DATA")] = None,
    suite: Annotated[str, typer.Option(help="A name from `list suites`, or a .toml file.")] = "demo",
    device: Device = "auto",
    precision: Precision = None,
    size: Annotated[
        str | None, typer.Option(help="native, or shorter side in pixels before rain is drawn.", show_default="native")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of rain, noise and training.", show_default="0")] = None,
    samples: Annotated[
        int | None, typer.Option(help="Outputs with different noise of each method that draws any.", show_default="1")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="At most so many photos or pairs a test set.", show_default="all")
    ] = None,
    clear_input: Annotated[
        int | None,
        typer.Option(
            help="Clear pictures a test set that are restored too: to do no harm.", show_default="the suite's"
        ),
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="As in psnr,lpips,psnr_y[mprnet].", show_default="the suite's")
    ] = None,
    intensity: Intensity = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD=PATH",
            help="A file, or a name in your library; again for more.",
            show_default="cache, then shipped",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="METHOD.option=value", help="An option of a method; again for more.", show_default="none"
        ),
    ] = None,
    train: Annotated[
        bool | None,
        typer.Option("--train/--no-train", help="Train all, or nothing.", show_default="what has no weights"),
    ] = None,
    train_data: Annotated[
        str | None, typer.Option(help="Train on this data instead of a split.", show_default="a split of --data")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Of each training: '600 steps' or '20 minutes'.", show_default="the suite's")
    ] = None,
    overwrite: Annotated[str, typer.Option(help="Restore again: never, failed or always.")] = "never",
    timeout: Annotated[float, typer.Option(help="Seconds that a method may take for one picture; 0: any time.")] = 3600,
    method_timeout: Annotated[
        float | None, typer.Option(help="Seconds for a stage on all pictures.", show_default="no limit")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(help="Of a method's process, as 8GB.", show_default="90 % of the machine's")
    ] = None,
    batch: Annotated[int, typer.Option(help="Pictures that go through a network together.")] = 1,
    tile: Annotated[
        int | None, typer.Option(help="Cut larger pictures into tiles of this side.", show_default="the method's own")
    ] = None,
    lower_precision: Annotated[
        bool, typer.Option("--lower-precision", help="Allow bf16 or fp16 when memory is short for the smallest tiles.")
    ] = False,
    isolate: Annotated[
        bool, typer.Option("--isolate/--no-isolate", help="Each method in a process of its own.")
    ] = True,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out unusable files; the report lists them.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="PART", help="A part of the data, as 2/8; `merge` joins them.", show_default="all"),
    ] = None,
    data_option: DataOption = None,
    download: Download = False,
    cache: Cache = None,
) -> None:
    """Train or load each method, restore the test sets, score the outputs and write an HTML report."""
    typed = dict(locals())  # all of the options, before there are other names
    from drivederain.cli.console import go_on, quiet_libraries, stoppable
    from drivederain.registry import Registry

    quiet_libraries()
    registry = Registry.discover()
    settings = run_settings(typed, ("drivederain-bench", *sys.argv[1:]), registry)
    with stoppable(go_on()):
        status = _execute(settings, registry)
    raise typer.Exit(status)


def run_settings(typed: Mapping[str, Any], command: Sequence[str], registry: Registry) -> RunSettings:
    """What was typed, upon what the suite says, upon the defaults. No torch is needed to say what is wrong.

    Args:
        typed: a value for each parameter of ``run``.
        command: the words that ask for it, for the record.

    Raises:
        OptionError: values that are not usable, alone or together.
        SpecError: a method or metric that there is none of.
    """
    from drivederain.cli import values
    from drivederain.cli.suites import read_suite
    from drivederain.engine.settings import RunSettings
    from drivederain.errors import OptionError

    chosen = read_suite(typed["suite"])
    protocol, metrics = chosen.protocol, typed["metrics"]

    def settled(name: str, default: Any) -> Any:
        return typed[name] if typed[name] is not None else protocol.get(name, default)

    arguments: dict[str, Any] = {
        "methods": values.names(typed["methods"]) if typed["methods"] is not None else chosen.methods,
        "data": tuple(typed["data"] or chosen.data),
        "precision": values.one_of(
            "--precision", typed["precision"] or protocol.get("precision", "auto"), ("auto", "fp32", "bf16", "fp16")
        ),
        "size": values.size(str(settled("size", "native"))),
        "seed": settled("seed", 0),
        "samples": values.at_least("--samples", settled("samples", 1), 1),
        "limit": values.at_least("--limit", settled("limit", None), 1),
        "clear_input": values.at_least("--clear-input", settled("clear_input", 0), 0),
        "intensities": values.intensities(
            typed["intensity"]
            if typed["intensity"] is not None
            else ",".join(protocol.get("intensity", ("light", "medium", "heavy")))
        ),
        "weights": values.weights(typed["weights"] or ()),
        "options": values.method_settings(typed["set_"] or ()),
        "train": typed["train"] if typed["train"] is not None else chosen.train,
        "train_data": typed["train_data"] or chosen.train_data,
        "overwrite": values.one_of("--overwrite", typed["overwrite"], ("never", "failed", "always")),
        "timeout": values.seconds("--timeout", typed["timeout"]) if typed["timeout"] else None,
        "method_timeout": values.seconds("--method-timeout", typed["method_timeout"]),
        "memory_limit": values.memory_limit(typed["memory_limit"]),
        "batch": values.at_least("--batch", typed["batch"], 1),
        "tile": values.at_least("--tile", typed["tile"], 64),
        "lower_precision": typed["lower_precision"],
        "isolate": typed["isolate"],
        "skip_bad": typed["skip_bad"],
        "shard": values.shard(typed["shard"]),
        "data_options": values.pairs("--data-option", typed["data_option"] or ()),
        "download": typed["download"],
        "cache": values.cache_folder(typed["cache"]),
        "device": values.one_of("--device", typed["device"], ("auto", "cpu", "cuda", "mps")),
        "command": tuple(command),
        "suite": chosen.name,
    }
    name, shard = _default_name(chosen, arguments["data"]), arguments["shard"]
    # Shards that are started by one command in one folder must not meet in one run.
    part = f"-{shard.number}-of-{shard.count}" if shard is not None else ""
    arguments["out"] = typed["out"] or Path("runs") / f"{name}{part}"
    if not arguments["methods"]:
        raise OptionError("--methods names none. Write chains, as in --methods unet,unet+diffusion,restormer")
    if not arguments["data"]:
        raise OptionError(f"the suite {chosen.name} leaves the data to you: give --data, as in --data synthetic:PHOTOS")
    registry.chains(arguments["methods"])
    default_metrics = tuple(name for name, spec in registry.metrics.items() if spec.by_default)
    scored = values.names(metrics) if metrics is not None else chosen.metrics or default_metrics
    registry.metric_variants(scored)
    return RunSettings(metrics=tuple(scored), budget=_budget(typed["budget"] or chosen.budget), **arguments)


def _budget(text: str) -> Budget:
    from drivederain.errors import OptionError
    from drivederain.training.progress import Budget

    try:
        return Budget.parse(text)
    except OptionError as error:
        wanted = "a positive number of steps or minutes, as in '600 steps' or '20 minutes'"
        raise OptionError(f"--budget {text}: write {wanted}") from error


def _default_name(suite: Suite, data: tuple[str, ...]) -> str:
    if data == suite.data:
        return suite.name
    words = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(Path(text).name or text for text in data)).strip("-")
    return words or suite.name


def _execute(settings: RunSettings, registry: Registry) -> int:
    from drivederain.cli.console import console

    with console.status("loading torch"):
        from drivederain.cli.progress import LiveDisplay
        from drivederain.engine.run import run_benchmark
    with LiveDisplay() as display:
        outcome = run_benchmark(settings, registry, display)
    from drivederain.cli.report import write_report
    from drivederain.cli.summary import show_summary

    page = write_report(outcome.folder, registry)
    show_summary(outcome.folder)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    return outcome.exit_status
