"""Tables for papers and notes: methods down, intensities across, as Markdown and LaTeX."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivederain.results.statistics import REFERENCE, in_order

if TYPE_CHECKING:
    import pandas as pd

RAINY = "rainy input"
MARKDOWN = {sign: "\\" + sign for sign in "\\`*_[]|~#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    '"': r"\textquotedbl{}", "|": r"\textbar{}",
}  # fmt: skip


@dataclass(frozen=True)
class TextCell:
    """A mean with its interval, ready to print; both "" where there is none."""

    mean: str
    interval: str
    fewer: int
    """How many pictures the mean is of, where others of its column have more; else 0."""
    best: bool
    """The best mean of its column among the methods, of those with scores of all its pictures."""


@dataclass(frozen=True)
class TextTable:
    """One metric on one data set and source of the intensity."""

    dataset: str
    source: str
    metric: str
    """With its variant."""
    unit: str
    direction: str
    size: str
    columns: tuple[tuple[str, int], ...]
    """Intensity, and how many pictures it has."""
    rows: tuple[tuple[str, tuple[TextCell, ...]], ...]


def text_tables(summary: pd.DataFrame, decimals: Mapping[tuple[str, str], int]) -> list[TextTable]:
    """The tables of whole pictures, in the order of the summary.

    Args:
        summary: of ``frames.exported``.
        decimals: of each metric and variant.
    """
    whole = summary[(summary["region"] == "image") & (summary["n"] > 0)]
    keys = ["dataset", "intensity_source", "metric", "variant"]
    found = []
    for (dataset, source, metric, variant), part in whole.groupby(keys, sort=False, observed=True):
        records = part.to_dict("records")
        intensities = in_order({record["intensity"] for record in records})
        most = {name: max(int(r["n"]) for r in records if r["intensity"] == name) for name in intensities}
        best = {name: _best([r for r in records if r["intensity"] == name], most[name]) for name in intensities}
        lookup = {(record["method"], record["intensity"]): record for record in records}
        places = decimals.get((metric, variant), 2)
        rows = tuple(
            (
                str(method),
                tuple(
                    _cell(lookup.get((method, name)), places, most[name], best[name] == method) for name in intensities
                ),
            )
            for method in dict.fromkeys(record["method"] for record in records)
        )
        first = records[0]
        found.append(
            TextTable(
                str(dataset), str(source), f"{metric}[{variant}]", first["unit"], first["direction"], first["size"],
                tuple(most.items()), rows,
            )
        )  # fmt: skip
    return found


def _best(records: Sequence[Mapping[Any, Any]], images: int) -> str:
    known = [r for r in records if r["method"] != REFERENCE and r["n"] == images and not math.isnan(r["mean"])]
    sign = -1 if known and known[0]["direction"] == "lower" else 1
    return str(max(known, key=lambda record: sign * record["mean"])["method"]) if known else ""


def _cell(record: Mapping[Any, Any] | None, decimals: int, images: int, best: bool) -> TextCell:
    if record is None or math.isnan(record["mean"]):
        return TextCell("", "", 0, False)
    low, high = record["low"], record["high"]
    interval = "" if math.isnan(low) else f"{low:.{decimals}f}, {high:.{decimals}f}"
    fewer = int(record["n"]) if record["n"] < images else 0
    return TextCell(f"{record['mean']:.{decimals}f}", interval, fewer, best)


def markdown_file(tables: Sequence[TextTable]) -> bytes:
    """Tables of GitHub's Markdown, best means in bold, intervals in brackets."""
    parts = []
    for table in tables:
        plain = _escaped(MARKDOWN)
        heads = [f"{plain(intensity)} (n = {images})" for intensity, images in table.columns]
        arrow = "↓" if table.direction == "lower" else "↑"
        unit = f", {table.unit}" if table.unit else ""
        data = f"{plain(table.dataset)} (intensity {plain(table.source)}, size {plain(table.size)})"
        lines = [
            f"**{plain(table.metric)}** {arrow}{unit} on {data}: mean [95 % interval]",
            "",
            "| Method | " + " | ".join(heads) + " |",
            "| --- |" + " ---: |" * len(heads),
        ]
        for method, cells in table.rows:
            texts = []
            for cell in cells:
                mean = f"**{cell.mean}**" if cell.best else cell.mean or "–"
                fewer = f" (n = {cell.fewer})" if cell.fewer else ""
                texts.append((f"{mean} [{cell.interval}]" if cell.interval else mean) + fewer)
            lines.append(f"| {RAINY if method == REFERENCE else plain(method)} | " + " | ".join(texts) + " |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts).encode("utf-8", "replace")


def latex_file(tables: Sequence[TextTable]) -> bytes:
    """Tables for LaTeX with the package ``booktabs``, best means in bold; every name is escaped."""
    plain = _escaped(LATEX)
    parts = []
    for table in tables:
        arrow = r"$\downarrow$" if table.direction == "lower" else r"$\uparrow$"
        unit = f", {plain(table.unit)}" if table.unit else ""
        heads = [rf"{plain(intensity)} ($n={images}$)" for intensity, images in table.columns]
        data = f"{plain(table.dataset)} (intensity {plain(table.source)}, size {plain(table.size)})"
        lines = [
            "% needs \\usepackage{booktabs} and, for names in UTF-8, \\usepackage[T1]{fontenc}",
            r"\begin{table}",
            rf"\caption{{{plain(table.metric)} {arrow}{unit} on {data}: mean and 95\,\% interval.}}",
            rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
            r"\toprule",
            "Method & " + " & ".join(heads) + r" \\",
            r"\midrule",
        ]
        for method, cells in table.rows:
            texts = []
            for cell in cells:
                mean = rf"\textbf{{{cell.mean}}}" if cell.best else cell.mean or "--"
                fewer = f" ($n={cell.fewer}$)" if cell.fewer else ""
                texts.append((rf"{mean} {{\scriptsize [{cell.interval}]}}" if cell.interval else mean) + fewer)
            lines.append(f"{RAINY if method == REFERENCE else plain(method)} & " + " & ".join(texts) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts).encode("utf-8", "replace")


def _escaped(signs: Mapping[str, str]) -> Callable[[str], str]:
    """Text with ``signs`` replaced, without control and direction characters, which would change what stands beside."""

    def escape(text: str) -> str:
        shown = "".join(" " if sign in "\n\r\t" else sign for sign in text if sign in "\n\r\t" or _visible(sign))
        return "".join(signs.get(sign, sign) for sign in shown)

    return escape


def _visible(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")
