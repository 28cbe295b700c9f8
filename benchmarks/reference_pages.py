"""Write the reference pages from the code: ``docs/commands.md``, ``plugin-reference.md`` and ``published.md``.

    python benchmarks/reference_pages.py docs

A test compares the pages with what this writes.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import typer

from drivederain import hookspecs, specs
from drivederain.cli.main import app
from drivederain.entry_points import DISTRIBUTION
from drivederain.plugin_contract import HOOKS
from drivederain.registry import Registry

SPECS = (
    specs.MethodSpec, specs.Needs, specs.WeightsSpec, specs.PresetSpec, specs.VariableSpec, specs.PublishedScore,
    specs.DatasetSpec, specs.MetricSpec, specs.ReportSection,
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs", type=Path)
    folder = parser.parse_args().docs
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    return {"commands.md": _commands(), "plugin-reference.md": _plugins(), "published.md": _published()}


def _commands() -> str:
    lines = [
        "# Commands",
        "",
        "Every verb of `drivederain-bench`. This page is made from the program (`benchmarks/reference_pages.py docs`).",
    ]
    root = typer.main.get_command(app)
    for words, command in _leaves(root, ()):
        context = typer.Context(command, info_name=" ".join(("drivederain-bench", *words)))
        lines += ["", f"## {' '.join(words)}", "", _one_line(command.help or ""), ""]
        lines += ["```", context.command_path + " " + " ".join(command.collect_usage_pieces(context)), "```"]
        rows = [row for parameter in command.params if (row := _row(parameter, context))]
        if rows:
            lines += ["", "| | Default | What it is |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The verbs of a typer command, those of groups in it included."""
    inside = getattr(command, "commands", None)
    if inside is None:
        yield words, command
        return
    for name, each in inside.items():
        yield from _leaves(each, (*words, name))


def _row(parameter: Any, context: typer.Context) -> str:
    record = getattr(parameter, "get_help_record", lambda _: None)(context)
    if record is None or "--help" in parameter.opts:
        return ""
    shown, text = record
    default = re.search(r"\s*\[default: (.*?)\]", text)
    required = "required" if parameter.required else ""
    told = re.sub(r"\s*\[(?:default: .*?|required)\]", "", text)
    return f"| `{_cell(shown)}` | {_cell(default[1]) if default else required} | {_cell(told)} |"


def _plugins() -> str:
    lines = [
        "# What a plugin implements",
        "",
        "The hooks and specs, made from the code (`benchmarks/reference_pages.py docs`). See [plugins](plugins.md).",
        "",
        "## Hooks",
    ]
    for name in HOOKS:
        hook = getattr(hookspecs, name)
        lines += ["", f"### {name}", "", "```", f"def {name}{inspect.signature(hook)}", "```", ""]
        text, _, example = inspect.getdoc(hook).partition("Example::")  # type: ignore[union-attr]
        lines += [_one_line(text), "", "```", textwrap.dedent(example).strip(), "```"]
    lines += ["", "## Specs"]
    for spec in SPECS:
        lines += ["", f"### {spec.__name__}", "", _one_line(inspect.getdoc(spec) or ""), ""]
        lines += ["| Field | Type | Default | What it is |", "|---|---|---|---|"]
        told = _field_docs(spec)
        for field in fields(spec):
            words = _cell(told.get(field.name, ""))
            lines.append(f"| `{field.name}` | `{_cell(str(field.type))}` | {_default(field)} | {words} |")
    return "\n".join(lines) + "\n"


def _published() -> str:
    """Weights and scores that the built-in methods name."""
    registry = Registry.discover()
    built_in = [spec for spec in registry.methods.values() if registry.owner("method", spec.name) == DISTRIBUTION]
    lines = [
        "# Recorded weights and published scores",
        "",
        "What the [methods](methods.md) name, made from the code (`benchmarks/reference_pages.py docs`).",
        "",
        "## Weights",
        "",
        "`package:` ships with the program; addresses are asked by `drivederain-bench weights fetch METHOD:NAME` only.",
        "",
        "| Method | Name | Class | Trained on | Licence | From | SHA-256 |",
        "|---|---|---|---|---|---|---|",
    ]
    for method in built_in:
        for each in method.weights:
            cells = (each.name, each.weights_class, each.trained_on, each.licence, f"`{each.source}`")
            lines.append(f"| {method.name} | {' | '.join(map(_cell, cells))} | `{each.sha256 or 'not recorded'}` |")
    lines += [
        "",
        "## Scores",
        "",
        "PSNR in dB and SSIM on luma, by the [protocol](metrics.md) that is named. A run on a set of this name puts",
        "them beside what it measures: [rain13k](data.md#rain13k). None was measured here. Those of Restormer and of",
        "Rain200 were copied from the papers; the others were written down from memory. Of these RESCAN's on Rain100H",
        "and Test2800, and PReNet's on Test2800 and by its own paper, were found again in another text. Look into the",
        "source before you cite one.",
        "",
        "| Method | Set | PSNR | SSIM | Protocol | Source |",
        "|---|---|---|---|---|---|",
    ]
    for method in built_in:
        rows: dict[tuple[str, str, str], dict[str, float]] = {}
        for score in method.published:
            metric, _, variant = score.metric.rstrip("]").partition("[")
            rows.setdefault((score.dataset, variant, score.source), {})[metric] = score.value
        for (dataset, variant, source), values in rows.items():
            ssim = _decimals(values["ssim_y"]) if "ssim_y" in values else "-"
            lines.append(
                f"| {method.name} | {dataset} | {values['psnr_y']:.2f} | {ssim} | {variant} | {_cell(source)} |"
            )
    return "\n".join(lines) + "\n"


def _decimals(value: float) -> str:
    """Three, or as many as the paper gives."""
    return f"{value:.3f}" if round(value, 3) == value else f"{value:g}"


def _field_docs(spec: type) -> dict[str, str]:
    """The strings that stand below the fields in the source."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(spec))).body
    assert isinstance(body, ast.ClassDef)
    told = {}
    for statement, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            told[statement.target.id] = _one_line(str(after.value.value))
    return told


def _default(field: Any) -> str:
    if field.default is not MISSING:
        return f"`{_cell(repr(field.default))}`"
    if field.default_factory is not MISSING:
        return f"`{_cell(repr(field.default_factory()))}`" if field.default_factory is dict else "its own defaults"
    return "required"


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


if __name__ == "__main__":
    main()
