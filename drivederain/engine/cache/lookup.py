"""From what was typed to cells: a chain as typed, or the beginning of a key."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivederain.engine.cache.survey import CellEntry
from drivederain.errors import OptionError
from drivederain.names import did_you_mean

_KEY = re.compile(r"[0-9a-f]{4,64}")
"""Fewer than four digits are a slip of the keyboard."""


def cells_of_chain(cells: Sequence[CellEntry], chain: str) -> list[CellEntry]:
    """The cells of exactly this chain, in their order.

    Raises:
        OptionError: there are none; a similar chain is named.
    """
    name = plain_chain(chain)
    found = [cell for cell in cells if cell.chain == name]
    if not found:
        raise _unknown(chain, cells, "chain")
    return found


def cells_with_method(cells: Sequence[CellEntry], typed: str) -> list[CellEntry]:
    """The cells of a chain, or, for one method, of every chain that it is part of.

    Raises:
        OptionError: there are none; a similar name is told.
    """
    name = plain_chain(typed)
    found = [cell for cell in cells if cell.chain == name or name in cell.chain.split("+")]
    if not found:
        raise _unknown(typed, cells, "method or chain")
    return found


def cells_named(cells: Sequence[CellEntry], typed: str) -> list[CellEntry]:
    """The cells of a chain, or the one cell whose key begins so.

    Raises:
        OptionError: there is none, or several keys begin so.
    """
    name = plain_chain(typed)
    if any(cell.chain == name for cell in cells):
        return cells_of_chain(cells, name)
    found = [cell for cell in cells if _KEY.fullmatch(name) and cell.key.startswith(name)]
    if len(found) > 1:
        keys = ", ".join(cell.key[:12] for cell in found[:5])
        raise OptionError(f"{typed}: {len(found)} keys begin so ({keys} ...). Write more of it.")
    if not found:
        raise _unknown(typed, cells, "chain, and no key begins so")
    return found


def plain_chain(typed: str) -> str:
    """Without spaces, as chains stand in the results."""
    return "+".join(part.strip() for part in typed.split("+"))


def _unknown(typed: str, cells: Sequence[CellEntry], what: str) -> OptionError:
    known = dict.fromkeys(cell.chain for cell in cells if cell.chain)
    hint = did_you_mean(typed, [*known, *(cell.key[:12] for cell in cells)])
    there = f"In the cache: {', '.join(known)}." if known else "The cache has no cells."
    return OptionError(f"{typed}: the cache has no such {what}.{hint} {there}")
