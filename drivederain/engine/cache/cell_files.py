"""Reading the files of a cell by their layout, whatever version wrote them and whatever became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivederain.results.json_lines import record_of

Check = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Lines:
    """A file of JSON lines: the good ones as they stand in the file and as they read, and the numbers of the others."""

    good: tuple[tuple[bytes, Mapping[str, Any]], ...]
    broken: tuple[int, ...]
    """Counted from 1."""


def plain_name(name: object) -> bool:
    """Whether ``name`` can be a file's name in its folder, so that no line leads out of the cell."""
    return isinstance(name, str) and name not in ("", ".", "..") and not {"/", "\\", "\0"} & set(name)


def is_output(line: Mapping[str, Any]) -> bool:
    return plain_name(line.get("picture")) and isinstance(line.get("sha256"), str)


def is_failure(line: Mapping[str, Any]) -> bool:
    return plain_name(line.get("picture"))


def is_score(line: Mapping[str, Any]) -> bool:
    return isinstance(line.get("key"), str) and isinstance(line.get("regions"), dict)


LINE_FILES: Mapping[str, Check] = {
    "outputs.jsonl": is_output,
    "failures.jsonl": is_failure,
    "scores.jsonl": is_score,
}


def json_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object that ``data`` is, ``None`` where it is none."""
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_lines(path: Path, check: Check) -> Lines:
    """The lines of a file; none where it is not there."""
    good, broken = [], []
    for number, raw in enumerate(read_bytes(path).split(b"\n"), start=1):
        if not raw:
            continue
        value = record_of(raw)
        if value is not None and check(value):
            good.append((raw, value))
        else:
            broken.append(number)
    return Lines(tuple(good), tuple(broken))


def read_bytes(path: Path) -> bytes:
    """A file's bytes; none where it is not there, or is a link."""
    if path.is_symlink():
        return b""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def key_parts(cell: Path) -> dict[str, Any] | None:
    """``key.json``; ``None`` where it is missing or damaged."""
    return json_object(read_bytes(cell / "key.json"))


def chain_of(parts: Mapping[str, Any] | None) -> str:
    """The chain as it is typed, from the nested ``before`` of its key's parts; "" where they do not tell."""
    names: list[str] = []
    while isinstance(parts, Mapping):
        names.append(str(parts.get("method", "?")))
        parts = parts.get("before")
    return "+".join(reversed(names))
