"""What to take out of a cache, and taking it out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from drivederain.engine.cache.cell_lock import in_use
from drivederain.engine.cache.lookup import cells_of_chain, plain_chain
from drivederain.engine.cache.removal import remove
from drivederain.engine.cache.staleness import installed_versions, is_stale
from drivederain.engine.cache.survey import CellEntry, Entry, Survey
from drivederain.engine.cache.weights_files import trained_chain
from drivederain.errors import OptionError


@dataclass(frozen=True)
class Criteria:
    """What to take out. Each narrows what the others leave; ``max_bytes`` takes of that the least recently used."""

    older_than: timedelta | None = None
    """Not used for so long."""
    max_bytes: int | None = None
    """No more than until the cache is no larger than that."""
    chain: str = ""
    """Only cells (and weights) of this chain."""
    stale: bool = False
    """Only cells of other versions of torch, of this program or of its engine."""
    everything: bool = False
    weights: bool = False
    """Weights trained here, too; without it they stay, for they are dear."""

    def check(self) -> None:
        """Refuse to guess.

        Raises:
            OptionError: no criterion, or ``everything`` with another one.
        """
        others = self.older_than is not None or self.max_bytes is not None or bool(self.chain) or self.stale
        if self.everything and others:
            raise OptionError("--all takes out everything: leave it out, or the other criteria")
        if not self.everything and not others:
            raise OptionError(
                "say what to take out: --older-than 30d, --max-size 20GB, --method CHAIN, --stale or --all"
            )


@dataclass(frozen=True)
class Plan:
    """What would be taken out."""

    entries: list[Entry]
    leftovers: list[Entry]
    """What killed processes left behind; always goes."""
    in_use: list[CellEntry]
    """Cells that would go if no run were using them."""
    left: int
    """Bytes that the cache has afterwards."""

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in (*self.entries, *self.leftovers))


@dataclass
class Pruned:
    """What was taken out."""

    count: int = 0
    bytes: int = 0
    in_use: list[CellEntry] = field(default_factory=list)
    """Cells that a run has begun to use since the plan was made: kept."""


def plan(found: Survey, criteria: Criteria) -> Plan:
    """Choose; changes nothing.

    Raises:
        OptionError: no usable criteria, a chain that the cache does not have, or versions that are not known.
    """
    criteria.check()
    chosen, in_use_now = [], []
    for entry in _candidates(found, criteria):
        if isinstance(entry, CellEntry) and in_use(entry.path):
            in_use_now.append(entry)
        else:
            chosen.append(entry)
    left = found.bytes - sum(entry.bytes for entry in found.leftovers)
    if criteria.max_bytes is not None:
        chosen.sort(key=lambda entry: (entry.used, entry.path))
        kept, over = [], left - criteria.max_bytes
        for entry in chosen:
            if over > 0:
                kept.append(entry)
                over -= entry.bytes
        chosen = kept
    return Plan(chosen, found.leftovers, in_use_now, left - sum(entry.bytes for entry in chosen))


def carry_out(planned: Plan, advance: Callable[[int], None] = lambda done: None) -> Pruned:
    """Take out what was planned. What a kill leaves half removed has a temporary name, and goes the next time.

    ``advance`` is told how many are done.

    Raises:
        OSError: something cannot be removed.
    """
    pruned = Pruned()
    for done, entry in enumerate((*planned.leftovers, *planned.entries), start=1):
        if isinstance(entry, CellEntry) and _used_since(entry):
            pruned.in_use.append(entry)
        elif remove(entry.kind, entry.path):
            pruned.count += 1
            pruned.bytes += entry.bytes
        elif isinstance(entry, CellEntry):
            pruned.in_use.append(entry)
        advance(done)
    return pruned


def _used_since(entry: CellEntry) -> bool:
    """Whether a run has used the cell since it was looked at: the question may have waited for its answer for long."""
    try:
        modified = (entry.path / "key.json").stat().st_mtime
    except FileNotFoundError:
        return False
    return entry.used < modified <= time.time()


def _candidates(found: Survey, criteria: Criteria) -> list[Entry]:
    """What meets every criterion but the size."""
    if criteria.everything:
        return found.entries
    installed = installed_versions() if criteria.stale else {}
    weights = [entry for entry in found.others if entry.kind == "weights" and criteria.weights]
    chosen: list[Entry] = []
    if criteria.chain:
        name = plain_chain(criteria.chain)
        weights = [entry for entry in weights if trained_chain(entry.path) == name]
        chosen += [cell for cell in found.cells if cell.chain == name] if weights else cells_of_chain(found.cells, name)
    else:
        chosen += found.cells
    if criteria.stale:
        chosen = [entry for entry in chosen if isinstance(entry, CellEntry) and is_stale(entry.parts, installed)]
    else:
        chosen += weights  # which versions they were trained with is not known of them
        if not criteria.chain:
            chosen += [entry for entry in found.others if entry.kind == "inputs"]
    if criteria.older_than is not None:
        oldest = time.time() - criteria.older_than.total_seconds()
        chosen = [entry for entry in chosen if entry.used < oldest]
    return chosen
