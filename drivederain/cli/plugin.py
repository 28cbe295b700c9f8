"""``drivederain-bench plugin``: new, check, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drivederain.registry import PluginStatus, Registry

plugin = typer.Typer(
    name="plugin",
    help="Plugins: write a new one, check that its methods hold what they must, see what is wrong with one.",
    epilog="new takes --kind, --out; check --weights, --set, --timeout, --memory-limit, --traceback, --json; "
    "doctor --traceback, --json.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@plugin.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the distribution and what it offers, as my-derain.")],
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="stage, refiner, dataset, metric or section (of the report).")
    ] = "stage",
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to write it.", show_default="a folder of its name")
    ] = None,
) -> None:
    """Write a plugin that installs, shows in `list`, and passes its own tests."""
    import shlex

    from drivederain.cli.console import console
    from drivederain.cli.values import one_of
    from drivederain.kit.new_plugin import KINDS, new_plugin

    one_of("--kind", kind, KINDS)
    folder = out or Path(name)
    for path in new_plugin(name, kind, folder):
        console.print(str(path), markup=False, soft_wrap=True, highlight=False)
    install = f"python -m pip install -e {shlex.quote(f'{folder}[dev]')}"
    test = f"python -m pytest {shlex.quote(str(folder))}"
    console.print(f"\nNext:\n  {install}\n  drivederain-bench list plugins\n  {test}", markup=False, soft_wrap=True)


@plugin.command("check")
def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A method, or a plugin whose methods are all checked.")],
    weights: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Load it with this file.", show_default="what ships, or untrained"),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="METHOD.option=value", help="An option of a method.", show_default="none"),
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long one check may take.")] = 120.0,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What its process may hold.", show_default="8GiB")
    ] = None,
    traceback: Annotated[bool, typer.Option("--traceback", help="Where a failed one failed.")] = False,
    json: Json = False,
) -> None:
    """Check what every method must hold, and say what a failure means for the numbers. Exit status 1 if one fails."""
    from dataclasses import asdict

    from drivederain.cli.console import console, quiet_libraries, stoppable
    from drivederain.cli.values import memory_limit as bytes_of
    from drivederain.cli.values import method_settings, seconds
    from drivederain.registry import Registry
    from drivederain.testing.isolated import check_method

    quiet_libraries()
    limit = seconds("--timeout", timeout) or timeout
    memory = bytes_of(memory_limit) if memory_limit else 8 * 2**30
    settings = method_settings(options or ())
    registry = Registry.discover()
    methods = _methods(registry, name)
    _check_typed(registry, methods, settings, weights)
    failed, records = 0, []
    with stoppable("nothing is kept of a check"):
        for method in methods:
            if not json:
                console.print(method, style="bold", markup=False, highlight=False)
            own = settings.get(registry.method(method).name, {})
            for outcome in check_method(method, weights=weights, options=own, timeout=limit, memory=memory):
                failed += outcome.status == "failed"
                records.append({"method": method, **asdict(outcome)})
                if not json:
                    style = {"failed": "red", "skipped": "yellow"}.get(outcome.status)
                    line = f"  {outcome.status:8} {outcome.check}: {outcome.words}"
                    console.print(line, style=style, markup=False, soft_wrap=True, highlight=False)
                    if traceback and outcome.traceback:
                        console.print(outcome.traceback, markup=False, soft_wrap=True, highlight=False)
    if json:
        _print_json(records)
    else:
        passed = sum(each["status"] == "passed" for each in records)
        console.print(f"{passed} passed, {failed} failed, {len(records) - passed - failed} skipped", highlight=False)
    if failed:
        raise typer.Exit(1)


@plugin.command("doctor")
def doctor(
    traceback: Annotated[bool, typer.Option("--traceback", help="Where a broken one failed.")] = False,
    json: Json = False,
) -> None:
    """Say of every plugin what it registers, of a broken one what failed and why. Exit status 1 if one is broken."""
    from dataclasses import asdict

    from drivederain.cli.console import console, errors
    from drivederain.registry import Registry

    registry = Registry.discover(strict=False)
    found = registry.plugins
    if json:
        _print_json([asdict(each) for each in found])
    for each in () if json else found:
        style = {"failed": "red", "left out": "yellow"}.get(each.status)
        console.print(_line(each), style=style, markup=False, soft_wrap=True, highlight=False)
        if traceback and each.traceback:
            console.print(each.traceback, markup=False, soft_wrap=True, highlight=False)
    for name in registry.not_installed:
        errors.print(
            f"DRIVEDERAIN_PLUGINS names {name}, and no plugin of that name is installed",
            style="red", markup=False, soft_wrap=True, highlight=False,
        )  # fmt: skip
    if registry.not_installed or any(each.status == "failed" for each in found):
        raise typer.Exit(1)


def _line(status: PluginStatus) -> str:
    given = [
        f"{kind} {', '.join(names)}"
        for kind, names in (
            ("methods", status.methods),
            ("data sets", status.datasets),
            ("metrics", status.metrics),
            ("hooks", status.hooks),
        )
        if names
    ]
    told = status.reason or "; ".join(given) or "nothing"
    return f"{status.status:8} {status.entry_point} ({status.distribution} {status.version}): {told}"


def _methods(registry: Registry, name: str) -> list[str]:
    """The method of that name, or those of the plugin or distribution of that name."""
    from drivederain.errors import SpecError

    if name in registry.methods:
        return [name]
    found = [each for each in registry.plugins if name in (each.entry_point, each.distribution, each.name)]
    if not found:
        registry.method(name)  # a file behind a colon, or no such name
        return [name]
    for status in found:
        if status.status != "ok":
            raise SpecError(f"the plugin {status.name} cannot be used: {status.reason}")
    methods = [method for status in found for method in status.methods]
    if not methods:
        raise SpecError(f"{name} offers no method; methods are what is checked.")
    return methods


def _check_typed(
    registry: Registry, methods: list[str], settings: dict[str, dict[str, str]], weights: Path | None
) -> None:
    """What is typed must be of what is checked."""
    from drivederain.errors import OptionError
    from drivederain.names import did_you_mean

    names = [registry.method(method).name for method in methods]
    for other in settings.keys() - set(names):
        hint = did_you_mean(other, names)
        raise OptionError(f"--set {other}: that method is not checked.{hint} Checked: {', '.join(names)}.")
    if weights is not None and len(methods) > 1:
        raise OptionError(f"--weights {weights}: several methods are checked ({', '.join(names)}); name one of them.")


def _print_json(value: object) -> None:
    import json as writer

    typer.echo(writer.dumps(value, indent=1))
