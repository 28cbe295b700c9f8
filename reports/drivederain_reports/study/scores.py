"""``study/scores.json``: what the answers to a study say."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime

from drivederain_reports.study.record import VERSION, Record, read_record


class Rater(Record):
    """One rater."""

    rater: str
    files: list[str]
    """Names of the files that were of this rater; the last saved one counts."""
    answers: int
    """To pairs of methods."""
    checks: int
    """Attention checks that were answered."""
    failed: int
    left_out: bool
    """More than one attention check was failed."""


class MethodScore(Record):
    """``drivederain.results.bradley_terry.Strength``; ``None`` where there is no interval."""

    name: str
    strength: float
    low: float | None
    high: float | None
    behind: float
    behind_low: float | None
    behind_high: float | None
    wins: int
    ties: int
    losses: int


class PairScore(Record):
    """How often ``first`` was preferred, neither, and ``second``."""

    first: str
    second: str
    wins: int
    ties: int
    losses: int


class IntensityScore(Record):
    """How often a method was preferred at one intensity."""

    method: str
    intensity: str
    won: float
    """Ties count half."""
    answers: int


class Scores(Record):
    """All that the report shows of a study."""

    kind: Literal["drivederain-study-scores"] = "drivederain-study-scores"
    version: Literal[1] = VERSION
    study: str
    created: AwareDatetime
    """When the page was made."""
    last_saved: AwareDatetime
    questions: int
    """Attention checks not counted."""
    checks: int
    raters: list[Rater]
    answers: int
    """To pairs of methods, of the raters that count."""
    scenes: int
    left_share: float | None
    """Of the answers that chose a side, the share that chose the left one; without a habit about a half."""
    methods: list[MethodScore]
    """The strongest first."""
    pairs: list[PairScore]
    by_intensity: list[IntensityScore]
    speaks_of: list[str]
    """``raters``, ``scenes``: what the intervals speak of in general."""
    groups: list[list[str]]
    """Methods that answers link."""

    @property
    def counted(self) -> int:
        """Raters that count."""
        return sum(not rater.left_out for rater in self.raters)


def read_scores(path: Path) -> Scores:
    """The scores of a study.

    Raises:
        DataError: the file is damaged.
    """
    return read_record(path, Scores, "Score the answers again with `drivederain-bench study score`, or remove it.")
