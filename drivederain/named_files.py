"""Methods that are named with a file: ``checkpoint:PATH`` becomes a method that is called after the file."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import replace
from pathlib import Path

from drivederain.errors import SpecError
from drivederain.specs import RESERVED, MethodSpec


def method_of_file(family: MethodSpec, location: str, taken: Container[str]) -> MethodSpec:
    """The method that ``family`` makes of the file at ``location``.

    Args:
        family: the method as its plugin offers it.
        location: what stands behind the colon.
        taken: names of other methods; the family's name is put before one of these.

    Raises:
        SpecError: the family takes no file, or there is none at ``location``.
    """
    if not family.location:
        raise SpecError(f"method {family.name!r} takes no file behind a colon; write {family.name!r} alone")
    path = Path(location.strip()).expanduser()
    if not location.strip() or not path.is_file():
        what = "this is a folder" if location.strip() and path.is_dir() else "there is no such file"
        raise SpecError(
            f"{family.name}:{location}: {what}. Write {family.name}:{family.location}; where the path has a '+' or a "
            "',', link the file under another name."
        )
    name = re.sub(r"[^a-z0-9_]+", "-", path.stem.lower()).strip("-_")
    if not re.match("[a-z]", name) or name in taken or name in RESERVED:
        name = f"{family.name}-{name or 'file'}"
    if name in taken:
        raise SpecError(f"{family.name}:{location}: there is a method {name!r}. Link the file under another name.")
    return replace(family, name=name, location="", file=str(path.resolve()), family=family.name)
