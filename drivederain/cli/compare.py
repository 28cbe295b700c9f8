"""``drivederain-bench compare``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from drivederain.results.comparison import Change, Comparison

HEADLINE = ("psnr", "ssim", "lpips")
SHOWN = 40
"""Differing settings that are listed; JSON has all."""
WORDS = {"same": "same", "better": "better", "worse": "worse", "unclear": "noise", "unknown": "no interval"}


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `run --out` wrote.")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="Another one, held against the first.")],
    metrics: Annotated[
        str | None, typer.Option(help="As in psnr,psnr_y[mprnet].", show_default="psnr,ssim,lpips; all in JSON")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """What changed from one run to another on the pictures that both scored, and what may not be compared."""
    from drivederain.cli import values
    from drivederain.errors import OptionError
    from drivederain.results import comparison
    from drivederain.results.run_folder import RunFolder

    kind = values.one_of("--format", format_, ("text", "json"))
    found = comparison.compare(RunFolder(first), RunFolder(second))
    wanted = values.names(metrics) if metrics is not None else ()
    there = {label for change in found.changes for label in (change.metric, f"{change.metric}[{change.variant}]")}
    for name in wanted:
        if name not in there and found.changes:
            raise OptionError(f"--metrics {name}: both runs have scores of {', '.join(sorted(there))}")
    if kind == "json":
        typer.echo(_json(found, wanted))
    else:
        _show(found, wanted or tuple(name for name in HEADLINE if name in there) or tuple(sorted(there)))


def _chosen(found: Comparison, wanted: tuple[str, ...]) -> list[Change]:
    return [
        change
        for change in found.changes
        if not wanted or change.metric in wanted or f"{change.metric}[{change.variant}]" in wanted
    ]


def _json(found: Comparison, wanted: tuple[str, ...]) -> str:
    import json
    from dataclasses import asdict

    changes = [{**_plain(asdict(change)), "outcome": change.outcome} for change in _chosen(found, wanted)]
    whole = {
        "first": found.names[0],
        "second": found.names[1],
        "identical": found.identical,
        "changes": changes,
        "refused": list(found.refused),
        "only_first": list(found.only[0]),
        "only_second": list(found.only[1]),
        "settings": [{"what": what, "first": one, "second": other} for what, one, other in found.settings],
    }
    return json.dumps(whole, indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    """``value`` as strict JSON: null for what is missing, "inf" for what is infinite."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def _show(found: Comparison, wanted: tuple[str, ...]) -> None:
    from drivederain.cli.console import console

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True, highlight=False)

    say(f"first:  {found.names[0]}\nsecond: {found.names[1]}")
    tables: dict[tuple[str, str, str, str], list[Change]] = {}
    for change in _chosen(found, wanted):
        key = (change.dataset, change.intensity_source, change.metric, change.variant)
        tables.setdefault(key, []).append(change)
    for (dataset, source, metric, variant), own in tables.items():
        unit = f" {own[0].unit}" if own[0].unit else ""
        say(
            f"\n{dataset} (intensity {source}): {metric}[{variant}]{unit}, {own[0].direction} is better; "
            "difference is second less first [95 % interval]"
        )
        console.print(_table(own))
    for reason in found.refused:
        say(f"not comparable: {reason}")
    for name, parts in zip(("first", "second"), found.only, strict=True):
        if parts:
            say(f"only in the {name}: {', '.join(parts)}")
    if not found.changes:
        say("nothing can be compared")
    elif found.identical:
        say(f"every score of both runs is the same ({len(found.changes)} comparisons)")
    if found.settings:
        say("\nwhat differs between the records:")
        for what, one, other in found.settings[:SHOWN]:
            say(f"  {what}: {_short(one)} -> {_short(other)}")
        if len(found.settings) > SHOWN:
            say(f"  and {len(found.settings) - SHOWN} more; --format json has them")


def _table(changes: list[Change]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for name in ("intensity", "method", "first", "second", "difference", "images", "the same", ""):
        table.add_column(name, justify="left" if name in ("intensity", "method", "") else "right", no_wrap=True)
    before = None
    for change in changes:
        if before not in (None, change.intensity):
            table.add_section()
        places, difference = change.decimals, change.difference
        known = not math.isnan(difference.low)
        interval = f" [{difference.low:+.{places}f}, {difference.high:+.{places}f}]" if known else ""
        table.add_row(
            change.intensity if change.intensity != before else "",
            change.method,
            f"{change.first:.{places}f}",
            f"{change.second:.{places}f}",
            f"{difference.mean:+.{places}f}{interval}",
            str(change.images),
            str(change.same),
            WORDS[change.outcome],
        )
        before = change.intensity
    return table


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
