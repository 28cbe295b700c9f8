"""docs/methods.md names every built-in method and every option, with its default and description."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.implementation import load_implementation
from drivederain.registry import Registry
from drivederain.specs import TILE_OVERLAP, MethodSpec
from drivederain_methods.diffusion.options import TILES

BUILT_IN = (
    "unet", "diffusion", "vae", "derainnet", "rescan", "prenet", "mprnet", "restormer", "checkpoint",
    "identity", "median", "guided", "inpaint",
)  # fmt: skip


def shown(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def rows(spec: MethodSpec) -> list[str]:
    """The table's lines for the options of ``spec``, as the page must have them."""
    model = load_implementation(spec.options)
    return [
        f"| `{name}` | {shown(field.default)} | {field.description} |"
        for name, field in model.model_fields.items()  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_option_is_in_the_table_of_its_method(name: str, registry: Registry, repository: Path) -> None:
    page = (repository / "docs" / "methods.md").read_text(encoding="utf-8")
    spec = registry.method(name)
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert section, f"docs/methods.md has no section {name}"
    assert spec.licence.partition(" (")[0] in section, "the licence is not told"
    if not spec.options:
        return
    documented = [line for line in section.splitlines() if line.startswith("| `")]
    assert documented == rows(spec)


def test_every_built_in_is_documented(registry: Registry) -> None:
    built_in = {name for name in registry.methods if registry.owner("method", name) == "drivederain"}
    assert built_in == set(BUILT_IN)


def test_what_methods_need_is_in_the_first_table(registry: Registry, repository: Path) -> None:
    page = (repository / "docs" / "methods.md").read_text(encoding="utf-8")
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.partition("\n## ")[0].splitlines()
        if line.startswith("|") and "---" not in line
    ]
    heading, *rows_there = lines
    assert [row[0] for row in rows_there] == list(BUILT_IN)
    for row in rows_there:
        told, spec = dict(zip(heading, row, strict=True)), registry.method(row[0])
        tiles = [str(spec.needs.tile)]
        if spec.needs.tiles_itself:
            options = load_implementation(spec.options)()
            tiles = [str(side) for side in TILES.values()] if spec.name == "diffusion" else [str(options.tile)]
        assert told["Padded to a multiple of"] == str(spec.needs.multiple)
        assert told["At least, pixels"] == str(spec.needs.minimum)
        assert [word for word in told["Tiles above, pixels"].split() if word.isdigit() or word == "None"] == tiles
        assert told["Precisions"] == ", ".join(spec.needs.precisions)
        assert (told["Order"], told["8 bit"]) == (spec.needs.channel_order, spec.needs.eight_bit)
        assert spec.needs.tile_overlap == TILE_OVERLAP == 128, "one overlap for all, as the page says"
