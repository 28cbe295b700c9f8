"""What ``verify`` found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Damage:
    """A file that is not what was written."""

    path: Path
    what: str
    repaired: bool = False


@dataclass
class Findings:
    """Of one entry, or of a whole cache."""

    damages: list[Damage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Harmless things worth knowing."""
    in_use: list[Path] = field(default_factory=list)
    """Cells that a run is using: not checked."""
    checked: Counter[str] = field(default_factory=Counter)
    """How many were checked of each kind, and of the pictures in cells."""

    def damaged(self, path: Path, what: str) -> None:
        self.damages.append(Damage(path, what))

    def add(self, other: Findings) -> None:
        self.damages += other.damages
        self.notes += other.notes
        self.in_use += other.in_use
        self.checked += other.checked

    def repaired(self) -> None:
        """All damage noted so far is gone."""
        self.damages = [replace(damage, repaired=True) for damage in self.damages]

    @property
    def remaining(self) -> list[Damage]:
        return [damage for damage in self.damages if not damage.repaired]


def file_problem(path: Path, sha256: str, hashed: str | OSError | None) -> str:
    """In words how a file's hash differs from the recorded one; "" where it does not."""
    if hashed is None:
        return "is missing"
    if isinstance(hashed, OSError):
        return f"cannot be read ({hashed.strerror})"
    return "" if hashed == sha256 else "is not what was written (SHA-256 differs)"


def counted(count: int, singular: str, plural: str = "") -> str:
    """``1 line``, ``2 lines``."""
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def numbered(numbers: Iterable[int], most: int = 5) -> str:
    """``3, 8, 9, ...``."""
    all_of_them = list(numbers)
    return ", ".join(map(str, all_of_them[:most])) + (", ..." if len(all_of_them) > most else "")
