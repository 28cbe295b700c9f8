"""From a name and a kind to the files of a plugin."""

from __future__ import annotations

import importlib.util
import keyword
import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from drivederain import __version__
from drivederain.errors import DataError, SpecError
from drivederain.registry import Registry
from drivederain.specs import RESERVED

KINDS: Final = ("stage", "refiner", "dataset", "metric", "section")
"""What a plugin may begin as; ``section`` is one of the report."""


def new_plugin(name: str, kind: str, folder: Path) -> list[Path]:
    """Write the plugin ``name`` into ``folder``, which must not be there yet or be empty.

    Args:
        name: of the distribution and of what it offers: lower-case letters, digits, ``-``, a letter first.
        kind: one of ``KINDS``.
        folder: where its ``pyproject.toml`` will lie.

    Returns:
        The files.

    Raises:
        SpecError: a name that is not usable.
        DataError: the folder holds files already, or cannot be made.
    """
    package = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or name in RESERVED or keyword.iskeyword(name):
        raise SpecError(
            f"{name!r} is no usable name: use lower-case letters, digits and '-', a letter first, as in my-derain"
        )
    if importlib.util.find_spec(package) is not None:
        raise SpecError(f"there is a package {package!r} already. Give the plugin another name.")
    registry = Registry.discover(strict=False)
    if name in {*registry.methods, *registry.datasets, *registry.metrics}:
        raise SpecError(f"there is a method, data set or metric {name!r} already. Give the plugin another name.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is there already. Give another --out, or remove it.")
    words = {
        "name": name,
        "package": package,
        "class_name": "".join(part.capitalize() for part in re.split("-", name)),
        "kind": kind,
        "version": __version__,
    }
    environment = Environment(
        loader=PackageLoader("drivederain.kit"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    templates = files("drivederain.kit") / "templates"
    written = []
    for part in ("common", kind):
        for template in sorted(each.name for each in (templates / part).iterdir()):
            target = folder / _place(template, package)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(environment.get_template(f"{part}/{template}").render(words), encoding="utf-8")
            written.append(target)
    return written


def _place(template: str, package: str) -> Path:
    """Where the file of a template lies: ``package__plugin.py.j2`` is ``<package>/plugin.py``."""
    parts = template.removesuffix(".j2").split("__", 1)
    if len(parts) == 1:
        return Path(parts[0])
    inside, name = parts
    return Path(package if inside == "package" else inside) / (name or "__init__.py")
