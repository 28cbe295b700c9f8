"""What a plugin must be and answer, and what is said of one that breaks it: plugins are other people's code."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import EntryPoint
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from drivederain import hookspecs
from drivederain.errors import SpecError
from drivederain.names import did_you_mean

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("drivederain_"))
MOST_ITEMS = 1000
"""A hook that goes on giving specs or sections beyond this is taken for one that never ends."""

_ItemT = TypeVar("_ItemT")


class Refused(Exception):
    """A plugin breaks the contract; the message is the reason that users read."""


def load_plugin(entry_point: EntryPoint) -> types.ModuleType:
    """Import the module that ``entry_point`` names; whatever its import raises, ``SystemExit`` included, goes through.

    Raises:
        Refused: the entry point names no module.
    """
    if entry_point.pattern.match(entry_point.value) is None:
        raise Refused(f"its entry point {entry_point.value!r} is not of the form 'package.module'")
    plugin = entry_point.load()
    if not isinstance(plugin, types.ModuleType):
        raise Refused(f"its entry point {entry_point.value!r} is a {type(plugin).__name__}, where a module is wanted")
    return plugin


def check_hooks(plugin: types.ModuleType) -> None:
    """Check that ``plugin`` implements hooks that exist, marked, unwrapped, and at least one.

    Raises:
        Refused: it does not.
    """
    implemented: set[str] = set()
    for name, candidate in vars(plugin).items():
        if not inspect.isroutine(candidate):
            continue
        marks = getattr(candidate, f"{hookspecs.PROJECT}_impl", None)
        if marks is None and not name.startswith("drivederain_"):
            continue
        hook = (marks or {}).get("specname") or name
        if hook not in HOOKS:
            raise Refused(f"there is no hook {hook!r}.{did_you_mean(hook, HOOKS)} The hooks: {', '.join(HOOKS)}")
        if marks is None:
            raise Refused(f"its function {name} is not marked: put @hookimpl of drivederain.hookspecs before it")
        if marks.get("wrapper") or marks.get("hookwrapper"):
            raise Refused(f"its hook {name} is a wrapper: no plugin may change what another one answers")
        if hook in implemented:
            raise Refused(f"it implements the hook {hook} twice")
        implemented.add(hook)
    if not implemented:
        raise Refused(f"it implements none of the hooks {', '.join(HOOKS)}")


def items_of(answer: object, item_type: type[_ItemT], hook: str) -> list[_ItemT]:
    """Return the items that a hook gave.

    Raises:
        Refused: they are no list, never end, or are not all of ``item_type``.
    """
    if not isinstance(answer, Iterable) or isinstance(answer, str | bytes | Mapping):
        raise Refused(f"{hook} returned {_shown(answer)}, where a list of {item_type.__name__} is wanted")
    items: list[_ItemT] = []
    for item in islice(answer, MOST_ITEMS + 1):
        if not isinstance(item, item_type):
            raise Refused(f"{hook} returned {_shown(item)} in its list, where {item_type.__name__} is wanted")
        items.append(item)
    if len(items) > MOST_ITEMS:
        raise Refused(f"{hook} returned more than {MOST_ITEMS} items")
    return items


def _shown(value: object) -> str:
    if value is None:
        return "None"
    return f"{value!r:.60}" if isinstance(value, str | int | float) else f"a {type(value).__name__}"


def reason_of(error: BaseException) -> str:
    """Return one line that says what went wrong, whatever ``error`` is."""
    if isinstance(error, SystemExit):
        return f"it tried to end the program (SystemExit: {error.code})"
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    if text and isinstance(error, Refused | SpecError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@cache
def _hints(spec_type: type) -> dict[str, Any]:
    return get_type_hints(spec_type)


def check_fields(spec: DataclassInstance, owner: str) -> None:
    """Check the fields of ``spec``, a dataclass, and of the dataclasses in it.

    Raises:
        SpecError: a field is of another type than declared; the message begins with ``owner`` and names the field.
    """
    hints = _hints(type(spec))
    for entry in fields(spec):
        value = getattr(spec, entry.name)
        if not _fits(value, hints[entry.name], f"{owner}, {entry.name}"):
            wanted = hints[entry.name]
            shown = wanted.__name__ if isinstance(wanted, type) and not get_args(wanted) else str(wanted)
            raise SpecError(f"{owner}: {entry.name} is {value!r}, where {shown.replace('typing.', '')} is wanted")


def _fits(value: object, wanted: Any, owner: str) -> bool:
    origin = get_origin(wanted)
    if origin is Literal:
        return value in get_args(wanted)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one, owner) for one in get_args(wanted))
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, get_args(wanted)[0], owner) for item in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, wanted):
        return False
    if is_dataclass(wanted):
        check_fields(value, owner)
    return True
