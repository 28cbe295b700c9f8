"""``drivederain-bench weights``: list, fetch, add, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drivederain.downloads import Progress
    from drivederain.registry import Registry
    from drivederain.specs import MethodSpec, WeightsSpec

weights = typer.Typer(
    name="weights",
    help="Weights of methods: list what there is, fetch official ones, add files of your own, verify them.",
    epilog="fetch takes --all, --timeout; add --name, --set; list and verify --json; all of them --cache.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[
    Path | None,
    typer.Option("--cache", help="Folder of the cache.", show_default="DRIVEDERAIN_CACHE, else the user's"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@weights.command("list")
def list_(
    method: Annotated[str | None, typer.Argument(metavar="METHOD", help="Only those of this method.")] = None,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """List weights: those that ship, those that can be fetched, those in your library, those trained here."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from drivederain.cli.console import console
    from drivederain.cli.values import cache_folder
    from drivederain.engine.cache.quantities import size_words
    from drivederain.engine.weights_inventory import all_weights
    from drivederain.registry import Registry

    registry = Registry.discover()
    if method is not None:
        registry.method(method)
    found = [each for each in all_weights(registry, cache_folder(folder)) if method in (None, each["method"])]
    if json:
        _print_json(found)
        return
    table = Table(box=SIMPLE_HEAD)
    for column in ("method", "name", "class", "state", "size", "SHA-256", "licence", "from"):
        table.add_column(column, overflow="fold")
    for each in found:
        size = size_words(each["bytes"]) if each["bytes"] else ""
        cells = (each["method"], each["name"], each["class"], each["state"], size, each["sha256"][:12])
        table.add_row(*map(escape, (*cells, each["licence"], each["source"])))
    console.print(table)


@weights.command("fetch")
def fetch(
    which: Annotated[
        list[str] | None, typer.Argument(metavar="METHOD[:NAME]...", help="All addresses of a method, or one by name.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that any method names by address.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long a server may be silent.")] = 30.0,
    folder: Folder = None,
) -> None:
    """Fetch official weights from their addresses into your library; what broke off goes on where it stopped."""
    from drivederain.cli.console import console, errors, stoppable
    from drivederain.cli.values import cache_folder, seconds
    from drivederain.errors import OptionError, WeightsError
    from drivederain.registry import Registry
    from drivederain.weights_library import WeightsLibrary

    if bool(which) == everything:
        raise OptionError(
            "weights fetch: name methods, as in `weights fetch prenet` or `prenet:rain100h`, or give --all"
        )
    limit = seconds("--timeout", timeout) or timeout
    registry = Registry.discover()
    library = WeightsLibrary(cache_folder(folder))
    asked = list(_addresses(registry, which or registry.methods, strict=not everything))
    failed = 0
    with stoppable("what has come is kept; start the same command again to go on"):
        for method, spec in asked:
            try:
                entry = library.fetch(method, spec, timeout=limit, progress=_progress(f"{method.name}:{spec.name}"))
            except WeightsError as error:
                failed += 1
                errors.print(f"error: {error}", style="red", markup=False, soft_wrap=True, highlight=False)
                continue
            known = "as recorded" if entry.recorded else "nobody recorded what it should be; verify it yourself"
            console.print(
                f"{method.name}:{spec.name}: {entry.bytes:,} bytes, SHA-256 {entry.sha256} ({known}). "
                f"Licence: {entry.licence}",
                markup=False, soft_wrap=True, highlight=False,
            )  # fmt: skip
    if failed:
        raise typer.Exit(1)


@weights.command("add")
def add(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="The method that they are of.")],
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file of the weights.")],
    name: Annotated[
        str, typer.Option(help="What to call them, as in --weights METHOD=NAME.", show_default="the file's name")
    ] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="METHOD.option=value",
            help="What the file does not tell, to load it with; again for more.",
            show_default="none",
        ),
    ] = None,
    folder: Folder = None,
) -> None:
    """Copy a file of weights into your library, once the method has been loaded with it."""
    from drivederain.cli.console import console, quiet_libraries
    from drivederain.cli.values import cache_folder, method_settings
    from drivederain.engine.weights_trial import try_weights
    from drivederain.errors import OptionError
    from drivederain.registry import Registry
    from drivederain.weights import given
    from drivederain.weights_library import WeightsLibrary

    quiet_libraries()
    spec = Registry.discover().method(method)
    file = path.expanduser()
    options = method_settings(set_ or ())
    for other in options.keys() - {spec.name}:
        raise OptionError(f"--set {other}: the weights are of {spec.name}.")
    facts = try_weights(spec, file, options.get(spec.name))
    found = given(file)
    entry = WeightsLibrary(cache_folder(folder)).add(
        spec, file, name, licence=found.licence, trained_on=found.trained_on
    )
    told = f" ({facts['network']})" if facts.get("network") else ""
    console.print(
        f"{entry.method}:{entry.name}: {entry.bytes:,} bytes, SHA-256 {entry.sha256}, {entry.weights_class}{told}",
        markup=False, soft_wrap=True, highlight=False,
    )  # fmt: skip


@weights.command("verify")
def verify(folder: Folder = None, json: Json = False) -> None:
    """Compare every file of weights with its recorded SHA-256. Exit status 1 where one is damaged or gone."""
    from drivederain.cli.console import console, errors
    from drivederain.cli.values import cache_folder
    from drivederain.engine.weights_inventory import all_weights
    from drivederain.registry import Registry

    found = [each for each in all_weights(Registry.discover(), cache_folder(folder)) if each["state"] != "not fetched"]
    bad = [each for each in found if each["state"] != "ok"]
    if json:
        _print_json(found)
    for each in () if json else found:
        console.print(
            f"{each['state']:10} {each['method']}:{each['name']} {each['sha256'][:12]}",
            markup=False, soft_wrap=True, highlight=False,
        )  # fmt: skip
    if bad:
        errors.print(
            "damaged or missing: install the package again (shipped), remove its folder in the library and fetch or "
            "add it again (official, given), or run `drivederain-bench cache verify --repair` (trained here)",
            markup=False, soft_wrap=True, highlight=False,
        )  # fmt: skip
        raise typer.Exit(1)


def _addresses(registry: Registry, which: Iterable[str], *, strict: bool) -> Iterator[tuple[MethodSpec, WeightsSpec]]:
    """The weights that are meant, of those that lie behind an address."""
    from drivederain.errors import OptionError
    from drivederain.names import did_you_mean

    for asked in which:
        method_name, colon, name = asked.partition(":")
        method = registry.method(method_name)
        there = {each.name: each for each in method.weights if "://" in each.source}
        if colon and name not in there:
            listed = ", ".join(there) or "none"
            raise OptionError(
                f"weights fetch {asked}: no such address.{did_you_mean(name, there)} There are: {listed}."
            )
        if strict and not there:
            raise OptionError(
                f"weights fetch {asked}: {method.name} names no address. `drivederain-bench weights list` says what "
                "there is; a file of yours is added with `weights add`."
            )
        for each in [there[name]] if colon else there.values():
            yield method, each


def _progress(label: str) -> Progress:
    """A line on the terminal that is written over; none in files and pipes."""
    from drivederain.cli.console import errors

    if not errors.is_terminal:
        return lambda done, total: None

    def show(done: int, total: int) -> None:
        of = f" of {total / 1e6:.1f}" if total else ""
        errors.print(f"{label}: {done / 1e6:.1f}{of} MB", end="\r", markup=False, highlight=False)

    return show


def _print_json(value: object) -> None:
    import json as writer

    typer.echo(writer.dumps(value, indent=1))
