"""What the page says of a user study, once its answers were scored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drivederain.results.run_folder import RunFolder
from drivederain.results.statistics import in_order
from drivederain_reports.figures import interval, number, plural, signed
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.scores import MethodScore, PairScore, Scores, read_scores

WIDTH = 240
"""Of the drawn intervals, in units of their SVG; their height is 20."""
MARGIN = 10


@dataclass(frozen=True)
class StrengthRow:
    """One method."""

    name: str
    won: str
    """Share of its comparisons; ties count half."""
    comparisons: str
    strength: str
    interval: str
    behind: str
    """The strongest's lead, empty for the strongest itself."""
    behind_interval: str
    badge: str
    """``best``, ``level`` (its distance to the strongest includes zero) or nothing."""
    x: float
    x_low: float | None
    x_high: float | None


@dataclass(frozen=True)
class StudySection:
    """The scores in words and drawings."""

    scores: Scores
    rows: tuple[StrengthRow, ...]
    zero: float
    """Where the average method lies in the drawings."""
    matrix: tuple[tuple[str, tuple[str, ...]], ...]
    """Each method with its wins, ties and losses against the others, in the order of ``rows``."""
    intensities: tuple[str, ...]
    by_intensity: tuple[tuple[str, tuple[str, ...]], ...]
    remarks: tuple[str, ...]
    """What a reader has to know to judge the figures."""


def study_section(run: RunFolder) -> StudySection | None:
    """``None`` where no answers were scored.

    Raises:
        DataError: ``study/scores.json`` is damaged.
    """
    path = StudyFolder.of(run).scores
    if not path.is_file():
        return None
    scores = read_scores(path)
    ends = [end for each in scores.methods for end in (each.strength, each.low, each.high, 0.0) if end is not None]
    low, high = min(ends), max(ends)

    def place(value: float) -> float:
        return round(MARGIN + (value - low) / ((high - low) or 1) * (WIDTH - 2 * MARGIN), 1)

    intensities = in_order({each.intensity for each in scores.by_intensity})
    shares = {(each.method, each.intensity): each for each in scores.by_intensity}
    by_intensity = []
    for method in scores.methods:
        found = [shares.get((method.name, name)) for name in intensities]
        by_intensity.append((method.name, tuple(_share(each.won, each.answers) if each else "–" for each in found)))
    return StudySection(
        scores=scores,
        rows=tuple(
            StrengthRow(
                name=each.name,
                won=f"{number(100 * (each.wins + each.ties / 2) / _comparisons(each), 0)} %",
                comparisons=f"{each.wins}–{each.ties}–{each.losses}",
                strength=signed(each.strength),
                interval=interval(each.low, each.high),
                behind="" if each is scores.methods[0] else number(each.behind),
                behind_interval="" if each is scores.methods[0] else interval(each.behind_low, each.behind_high),
                badge="best" if each is scores.methods[0] else "level" if _level(each) else "",
                x=place(each.strength),
                x_low=None if each.low is None else place(each.low),
                x_high=None if each.high is None else place(each.high),
            )
            for each in scores.methods
        ),
        zero=place(0.0),
        matrix=tuple(_matrix([each.name for each in scores.methods], scores.pairs)),
        intensities=tuple(intensities),
        by_intensity=tuple(by_intensity),
        remarks=tuple(_remarks(scores)),
    )


def _comparisons(each: MethodScore) -> int:
    return each.wins + each.ties + each.losses


def _level(each: MethodScore) -> bool:
    return each.behind_low is not None and each.behind_low <= 0


def _share(won: float, answers: int) -> str:
    return f"{number(100 * won / answers, 0)} % of {answers}"


def _matrix(names: list[str], pairs: Iterable[PairScore]) -> Iterable[tuple[str, tuple[str, ...]]]:
    counts = {}
    for pair in pairs:
        counts[pair.first, pair.second] = pair.wins, pair.ties, pair.losses
        counts[pair.second, pair.first] = pair.losses, pair.ties, pair.wins
    for name in names:
        row = [counts.get((name, other), (0, 0, 0)) for other in names]
        yield name, tuple("–".join(map(str, found)) if any(found) else "" for found in row)


def _remarks(scores: Scores) -> Iterable[str]:
    left_out = len(scores.raters) - scores.counted
    if left_out:
        yield f"{plural(left_out, 'rater')} left out, who failed more than one attention check."
    elif not scores.checks:
        yield "There were no attention checks: nobody could be left out."
    if not scores.speaks_of:
        yield f"{plural(scores.counted, 'rater')} and {plural(scores.scenes, 'scene')} are too few for intervals."
    elif "raters" not in scores.speaks_of:
        whom = "this rater" if scores.counted == 1 else f"these {scores.counted} raters"
        yield f"The intervals speak of {whom} on other scenes, not of other people: that needs six raters."
    elif "scenes" not in scores.speaks_of:
        yield f"The intervals speak of other people on these {scores.scenes} scenes, not of other scenes."
    if len(scores.groups) > 1:
        groups = "; ".join(", ".join(group) for group in scores.groups)
        yield f"No answers link these groups, so that strengths compare within each only: {groups}."
    chosen = sum(each.wins + each.losses for each in scores.methods) // 2
    if scores.left_share is not None and abs(scores.left_share - 0.5) * 2 * chosen**0.5 > 3:
        share = f"{number(100 * scores.left_share, 0)} %"
        yield f"Of the {chosen} choices {share} were the left picture: more of a habit than chance gives."
