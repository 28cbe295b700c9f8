"""The outcome of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "missing", "broken"]


@dataclass(frozen=True)
class Check:
    """What was looked at, and what was found."""

    feature: str
    """Checks are shown by feature."""
    name: str
    status: Status
    detail: str
    """What was found; why it cannot be used where the status is not ``ok``."""
    remedy: str = ""
    needed: bool = False
    """The default run does not work without it. What is not needed is a note."""

    @property
    def fails(self) -> bool:
        """Whether the default run would not work."""
        return self.needed and self.status != "ok"
