"""Suites: TOML files that fix what is run and how. Built-in ones by name, others by path."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from drivederain.errors import OptionError
from drivederain.names import did_you_mean

KEYS = {
    "description": str,
    "data": list,
    "methods": list,
    "metrics": list,
    "budget": str,
    "train": bool,
    "train_data": str,
    "protocol": dict,
}
PROTOCOL = {
    "size": (str, int),
    "seed": int,
    "samples": int,
    "clear_input": int,
    "intensity": list,
    "limit": int,
    "precision": str,
}

_KINDS = {str: "a text", int: "a whole number", list: "a list", dict: "a table", bool: "true or false"}


@dataclass(frozen=True)
class Suite:
    """A suite as read; what it leaves out is for the command line to say."""

    name: str
    description: str = ""
    data: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    budget: str = "600 steps"
    train: bool | None = None
    """Train all, or nothing; ``None``: what has no weights."""
    train_data: str | None = None
    protocol: dict[str, Any] = field(default_factory=dict)


def builtin_suites() -> dict[str, Suite]:
    """The suites that come with the program, by name."""
    folder = files("drivederain_suites")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {name.removesuffix(".toml"): _parse(name, (folder / name).read_text(encoding="utf-8")) for name in names}


def read_suite(name: str) -> Suite:
    """A built-in suite, or the file at ``name``.

    Raises:
        OptionError: neither; or the file is not TOML, or has keys or values that a suite does not have.
    """
    if not name.endswith(".toml"):
        known = builtin_suites()
        if name not in known:
            hint = did_you_mean(name, known)
            raise OptionError(
                f"--suite {name}: no such suite.{hint} There are: {', '.join(known)}; or give a .toml file."
            )
        return known[name]
    path = Path(name)
    try:
        return _parse(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"--suite {path} cannot be read ({error}). Give a TOML file, or a name from `list suites`."
        ) from error


def _parse(name: str, text: str) -> Suite:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"--suite {name} is not TOML: {error}") from error
    _check(name, content, KEYS, "")
    _check(name, content.get("protocol", {}), PROTOCOL, "protocol.")
    lists = {key: content.get(key, []) for key in ("data", "methods", "metrics")}
    lists["protocol.intensity"] = content.get("protocol", {}).get("intensity", [])
    for key, entries in lists.items():
        if not all(isinstance(entry, str) for entry in entries):
            raise OptionError(f'--suite {name}: {key} must be a list of texts, as in ["a", "b"]')
    return Suite(
        name=Path(name).name.removesuffix(".toml"),
        description=content.get("description", ""),
        data=tuple(content.get("data", ())),
        methods=tuple(content.get("methods", ())),
        metrics=tuple(content.get("metrics", ())),
        budget=content.get("budget", "600 steps"),
        train=content.get("train"),
        train_data=content.get("train_data"),
        protocol=content.get("protocol", {}),
    )


def _check(name: str, content: dict[str, Any], keys: dict[str, Any], where: str) -> None:
    for key, value in content.items():
        if key not in keys:
            raise OptionError(
                f"--suite {name}: {where}{key} is no key of a suite.{did_you_mean(key, keys)} Keys: {', '.join(keys)}."
            )
        if not isinstance(value, keys[key]) or (isinstance(value, bool) and keys[key] is not bool):
            kinds = keys[key] if isinstance(keys[key], tuple) else (keys[key],)
            wanted = " or ".join(_KINDS[kind] for kind in kinds)
            raise OptionError(f"--suite {name}: {where}{key} is {value!r}, where {wanted} is wanted")
