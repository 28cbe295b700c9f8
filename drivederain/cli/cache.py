"""``drivederain-bench cache``: list, explain, prune, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drivederain.engine.cache.prune import Plan
    from drivederain.engine.cache.survey import CellEntry, Survey

cache = typer.Typer(
    name="cache",
    help="What lies in the cache: list it, explain why a key was missed, prune it, verify it.",
    epilog="list takes --json; prune --older-than, --max-size, --method, --stale, --all, --weights, --dry-run, --yes; "
    "verify --repair, --json; all of them --cache.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[
    Path | None,
    typer.Option("--cache", help="Folder of the cache.", show_default="DRIVEDERAIN_CACHE, else the user's"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

NARROW = 125
"""Below so many characters a line, versions, device and weights are left to `--json` and `explain`."""
NUMBERS = ("pictures", "failed", "scores", "size")
SHOWN = 40
"""Cells that `prune` names one by one."""


@cache.command("list")
def list_(
    method: Annotated[
        str | None, typer.Argument(metavar="METHOD", help="Only chains with this method, or this chain.")
    ] = None,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """List the cells, the last used first, and how much lies in the cache."""
    from drivederain.cli.console import console
    from drivederain.engine.cache.lookup import cells_with_method
    from drivederain.engine.cache.quantities import size_words
    from drivederain.engine.cache.typed_options import TypedOptions
    from drivederain.registry import Registry

    found = _survey(folder)
    cells = found.cells if method is None else cells_with_method(found.cells, method)
    options = TypedOptions(Registry.discover())
    if json:
        totals = {name: {"count": total.count, "bytes": total.bytes} for name, total in found.totals().items()}
        records = [_record(cell, options.words(cell.parts)) for cell in cells]
        _print_json({"cache": str(found.cache), "cells": records, "totals": totals})
        return
    console.print(f"cache: {found.cache}", markup=False, soft_wrap=True, highlight=False)
    if cells:
        wide = ("scores", "versions", "on", "weights") if console.width >= NARROW else ()
        table = _table("chain", "key", "pictures", "failed", "size", "last used", *wide)
        for cell in cells:
            used, *about = _about(cell)
            first = (_name(cell), cell.key[:12], str(cell.pictures), str(cell.failures), size_words(cell.bytes), used)
            table.add_row(*_text(*first, *((str(cell.scores), *about) if wide else ())))
        console.print(table)
        own = [f"  {cell.key[:12]}  {words}" for cell in cells if (words := options.words(cell.parts))]
        if own:
            _say("\n".join(["options that are not the defaults:", *own, ""]))
    kinds = [
        f"{name} {total.count} ({size_words(total.bytes)})" for name, total in found.totals().items() if total.count
    ]
    _say(f"{', '.join(kinds) or 'empty'}; together {size_words(found.bytes)}")
    _say_links(found)


@cache.command("explain")
def explain(
    target: Annotated[str, typer.Argument(metavar="CHAIN|KEY", help="A chain, or the beginning of a cell's key.")],
    other: Annotated[str | None, typer.Argument(metavar="KEY", help="A second one, to compare.")] = None,
    folder: Folder = None,
) -> None:
    """Say in which parts cells differ: why one could not be used for the other."""
    from drivederain.engine.cache.lookup import cells_named

    cells = _survey(folder).cells
    first = cells_named(cells, target)
    if other is not None:
        old, new = first[0], cells_named(cells, other)[0]
        _say(f"{_line(old)}\n{_line(new)}")
        _explain(old, new, "the same cell" if old.key == new.key else "no part differs")
        return
    newest = first[0]
    rest = [cell for cell in (first[1:] or cells) if cell.chain == newest.chain and cell.key != newest.key]
    _say(f"{_line(newest)}\n")
    if not rest:
        _say("no other cell of this chain to compare it with")
    for cell in rest:
        _say(_line(cell))
        _explain(cell, newest, f"no part differs from {newest.key[:12]}")


@cache.command("prune")
def prune(
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Not used for so long: 12h, 30d.", show_default="any age")
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="The least recently used, down to 20GB.", show_default="no limit"),
    ] = None,
    method: Annotated[
        str | None, typer.Option(metavar="CHAIN", help="Only cells of this chain.", show_default="any chain")
    ] = None,
    stale: Annotated[bool, typer.Option("--stale", help="Cells of other drivederain or torch versions.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="All of it, weights trained here too.")] = False,
    weights: Annotated[bool, typer.Option("--weights", help="Weights trained here, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and leave it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    folder: Folder = None,
) -> None:
    """Take out what meets all the criteria given; at least one of the first five is needed."""
    import sys

    from drivederain.cli.console import stoppable
    from drivederain.cli.progress import LiveDisplay
    from drivederain.engine.cache.prune import Criteria, carry_out, plan
    from drivederain.engine.cache.quantities import read_age, read_size, size_words
    from drivederain.errors import OptionError

    criteria = Criteria(
        older_than=None if older_than is None else read_age(older_than),
        max_bytes=None if max_size is None else read_size(max_size),
        chain=method or "", stale=stale, everything=everything, weights=weights,
    )  # fmt: skip
    criteria.check()
    found = _survey(folder)
    planned = plan(found, criteria)
    _show_plan(planned)
    if criteria.max_bytes is not None and planned.left > criteria.max_bytes:
        kept = "" if weights else " Weights trained here stay without --weights."
        _say(f"the cache cannot get below {max_size} in this way: {size_words(planned.left)} are left.{kept}")
    count = len(planned.entries) + len(planned.leftovers)
    if dry_run or not count:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise OptionError("nobody can be asked here: add --yes to take it out, or --dry-run to look only")
        typer.confirm(f"Take out {size_words(planned.bytes)} from {found.cache}?", abort=True)
    with stoppable("what was taken out is gone, the rest is whole; the same command goes on"), LiveDisplay() as display:
        display.begin("prune", count)
        pruned = carry_out(planned, display.advance)
        display.end()
    _say(f"{pruned.count} taken out, {size_words(pruned.bytes)}")
    _say_in_use(pruned.in_use)


@cache.command("verify")
def verify(
    repair: Annotated[
        bool, typer.Option("--repair", help="Take out what is damaged, so that it is computed again.")
    ] = False,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Read everything in the cache and name what is not as it was written. Exit status 1 if damage remains."""
    from drivederain.cli.console import stoppable
    from drivederain.cli.progress import LiveDisplay
    from drivederain.engine.cache.layout import relative
    from drivederain.engine.cache.verify import steps
    from drivederain.engine.cache.verify import verify as check

    found = _survey(folder)
    with stoppable("what was repaired is repaired; the same command goes on"):
        if json:
            findings = check(found, repair=repair)
        else:
            with LiveDisplay() as display:
                display.begin(f"verify {found.cache}", steps(found))
                findings = check(found, repair=repair, advance=display.advance)
                display.end()
    in_use = [relative(found.cache, path) for path in findings.in_use]
    if json:
        damages = [
            {"file": relative(found.cache, damage.path), "what": damage.what, "repaired": damage.repaired}
            for damage in findings.damages
        ]
        checked = dict(findings.checked)
        _print_json({"checked": checked, "damages": damages, "in_use": in_use, "notes": findings.notes})
    else:
        for damage in findings.damages:
            _say(f"{relative(found.cache, damage.path)}: {damage.what}{' - taken out' if damage.repaired else ''}")
        for note in findings.notes:
            _say(f"note: {note}")
        for path in in_use:
            _say(f"note: {path} is in use by a run: not checked")
        checked_words = ", ".join(f"{count} {kind}" for kind, count in findings.checked.items()) or "nothing there"
        _say(f"checked: {checked_words}; {_verdict(len(findings.damages), len(findings.remaining))}")
    if findings.remaining:
        raise typer.Exit(1)


def _verdict(damages: int, remaining: int) -> str:
    if not damages:
        return "no damage"
    if remaining:
        return f"{damages} damaged: `cache verify --repair` takes that out, and the next run computes it again"
    return f"{damages} damaged and taken out; the next run computes that again"


def _survey(folder: Path | None) -> Survey:
    from drivederain.cli.values import cache_folder
    from drivederain.engine.cache.survey import survey

    return survey(cache_folder(folder))


def _show_plan(planned: Plan) -> None:
    from drivederain.cli.console import console
    from drivederain.engine.cache.layout import KINDS
    from drivederain.engine.cache.quantities import size_words
    from drivederain.engine.cache.survey import CellEntry

    cells = [entry for entry in planned.entries if isinstance(entry, CellEntry)]
    if cells:
        table = _table("chain", "key", "pictures", "size", "last used", "versions", "on")
        for cell in cells[:SHOWN]:
            about = _about(cell)[:3]
            table.add_row(*_text(_name(cell), cell.key[:12], str(cell.pictures), size_words(cell.bytes), *about))
        console.print(table)
    if len(cells) > SHOWN:
        _say(f"... and {len(cells) - SHOWN} more cells")
    for name in (*KINDS, "leftovers"):
        entries = planned.leftovers if name == "leftovers" else [e for e in planned.entries if e.kind == name]
        if entries:
            _say(f"{name}: {len(entries)}, {size_words(sum(entry.bytes for entry in entries))}")
    if not planned.entries and not planned.leftovers:
        _say("nothing to take out")
    _say_in_use(planned.in_use)


def _say_in_use(cells: Iterable[CellEntry]) -> None:
    for cell in cells:
        _say(f"kept: {_name(cell)} {cell.key[:12]} is in use by a run")


def _say_links(found: Survey) -> None:
    if found.links:
        _say(f"note: {len(found.links)} links are not followed, the first: {found.links[0]}")


def _explain(old: CellEntry, new: CellEntry, same: str) -> None:
    from drivederain.engine.cache.differences import differences

    if old.parts is None or new.parts is None:
        damaged = old if old.parts is None else new
        _say(f"  the key.json of {damaged.key[:12]} is missing or damaged: `cache verify` says more\n")
        return
    found = differences(old.parts, new.parts)
    for each in found:
        _say(f"  {each}  ({each.meaning})")
    _say("" if found else f"  {same}\n")


def _name(cell: CellEntry) -> str:
    return cell.chain or "(unknown)"


def _line(cell: CellEntry) -> str:
    used, versions, on, _ = _about(cell)
    return f"{_name(cell)}  {cell.key[:12]}  {cell.pictures} pictures, last used {used}, versions {versions}, {on}"


def _about(cell: CellEntry) -> tuple[str, str, str, str]:
    """Last used, versions of this program and of torch, device and precision, weights."""
    from drivederain.engine.cache.quantities import moment_words

    own, torch, device, precision = (cell.part(name) or "?" for name in ("drivederain", "torch", "device", "precision"))
    return moment_words(cell.used), f"{own}, {torch}", f"{device} {precision}", cell.part("weights")[:8]


def _record(cell: CellEntry, options: str) -> Mapping[str, Any]:
    from datetime import UTC, datetime

    return {
        "chain": cell.chain,
        "key": cell.key,
        "pictures": cell.pictures,
        "failures": cell.failures,
        "scores": cell.scores,
        "bytes": cell.bytes,
        "last_used": datetime.fromtimestamp(cell.used, UTC).isoformat(timespec="seconds"),
        "drivederain": cell.part("drivederain"),
        "torch": cell.part("torch"),
        "device": cell.part("device"),
        "precision": cell.part("precision"),
        "weights": cell.part("weights"),
        "options": options,
    }


def _table(*columns: str) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for name in columns:
        # A key that is cut in two cannot be copied.
        table.add_column(name, overflow="fold", no_wrap=name == "key", justify="right" if name in NUMBERS else "left")
    return table


def _text(*cells: str) -> tuple[Any, ...]:
    """Names as they are: what stands in a key is not markup."""
    from rich.text import Text

    return tuple(Text(cell) for cell in cells)


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=1, ensure_ascii=False))


def _say(text: str) -> None:
    from drivederain.cli.console import console

    console.print(text, markup=False, highlight=False, soft_wrap=True)
