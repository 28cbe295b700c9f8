"""From files of answers to ``study/scores.json``."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivederain.errors import DataError
from drivederain.results.bradley_terry import Comparison, Strength, strengths
from drivederain.results.statistics import in_order
from drivederain_reports.figures import plural
from drivederain_reports.study.answers import Answer, Answers, read_answers
from drivederain_reports.study.key import Key, Question
from drivederain_reports.study.record import write_record
from drivederain_reports.study.scores import IntensityScore, MethodScore, PairScore, Rater, Scores

MOST_FAILED = 1
"""Attention checks that a rater may fail; who fails more is left out."""


@dataclass(frozen=True)
class Scored:
    """Scores, and what went wrong beside them."""

    scores: Scores
    problems: tuple[str, ...]
    """A message for each file that could not be used."""
    repeated: tuple[str, ...]
    """Files that were not counted, because a later one is of the same rater."""


def score_files(files: Sequence[Path], key: Key, target: Path) -> Scored:
    """Score all usable files together and write ``target``.

    Raises:
        DataError: no file can be used, or no rater passed the attention checks; nothing is written then.
    """
    problems: list[str] = []
    found: dict[str, list[tuple[Path, Answers]]] = defaultdict(list)
    for path in dict.fromkeys(files):
        try:
            answers = read_answers(path, key)
        except DataError as error:
            problems.append(str(error))
        else:
            found[answers.rater].append((path, answers))
    if not found:
        more = f" {len(problems) - 1} more could not be used either." if len(problems) > 1 else ""
        raise DataError((problems or ["No file of answers was given."])[0] + more)
    for visits in found.values():
        visits.sort(key=lambda visit: (visit[1].saved, len(visit[1].answers), visit[0].name))
    last = {rater: visits[-1][1] for rater, visits in found.items()}
    raters = [_rater(last[name], [path.name for path, _ in found[name]], key) for name in sorted(last)]
    counted = [last[rater.rater] for rater in raters if not rater.left_out]
    scores = _scores(key, raters, counted)
    write_record(target, scores)
    return Scored(scores, tuple(problems), tuple(str(path) for visits in found.values() for path, _ in visits[:-1]))


def _rater(answers: Answers, files: list[str], key: Key) -> Rater:
    checks = [(answer, key.questions[answer.question]) for answer in answers.answers]
    checks = [(answer, question) for answer, question in checks if question.obvious is not None]
    failed = sum(answer.chosen != question.obvious for answer, question in checks)
    return Rater(
        rater=answers.rater,
        files=[name.encode("utf-8", "replace").decode("utf-8") for name in files],
        answers=len(answers.answers) - len(checks),
        checks=len(checks),
        failed=failed,
        left_out=failed > MOST_FAILED,
    )


def _scores(key: Key, raters: list[Rater], counted: Sequence[Answers]) -> Scores:
    given = [
        (visit.rater, answer, key.questions[answer.question])
        for visit in counted
        for answer in visit.answers
        if key.questions[answer.question].obvious is None
    ]
    if not given:
        left_out = f"{sum(rater.left_out for rater in raters)} failed more than {MOST_FAILED} attention check"
        raise DataError(
            f"No answer compares two methods: of {plural(len(raters), 'rater')} {left_out}. "
            "Ask further people, or the same ones to go on to the end."
        )
    result = strengths([_comparison(*each) for each in given])
    sides = Counter(answer.chosen == answer.left for _, answer, _ in given if answer.chosen is not None)
    return Scores(
        study=key.study,
        created=key.created,
        last_saved=max(visit.saved for visit in counted),
        questions=len(key.questions) - key.checks,
        checks=key.checks,
        raters=raters,
        answers=len(given),
        scenes=result.scenes,
        left_share=sides[True] / sides.total() if sides else None,
        methods=[_method(each) for each in result.ranked],
        pairs=[
            PairScore(first=pair.first, second=pair.second, wins=pair.wins, ties=pair.ties, losses=pair.losses)
            for pair in result.pairs
        ],
        by_intensity=_by_intensity((answer, question) for _, answer, question in given),
        speaks_of=list(result.speaks_of),
        groups=[list(group) for group in result.groups],
    )


def _comparison(rater: str, answer: Answer, question: Question) -> Comparison:
    (first, first_name), (_, second_name) = question.codes.items()
    outcome = 0.5 if answer.chosen is None else float(answer.chosen == first)
    return Comparison(first_name, second_name, outcome, rater, f"{question.dataset}\x1f{question.scene}")


def _method(found: Strength) -> MethodScore:
    numbers = {name: getattr(found, name) for name in ("low", "high", "behind_low", "behind_high")}
    return MethodScore(
        name=found.name,
        strength=found.strength,
        behind=found.behind,
        wins=found.wins,
        ties=found.ties,
        losses=found.losses,
        **{name: None if math.isnan(value) else value for name, value in numbers.items()},
    )


def _by_intensity(given: Iterable[tuple[Answer, Question]]) -> list[IntensityScore]:
    won: dict[tuple[str, str], float] = defaultdict(float)
    answers: Counter[tuple[str, str]] = Counter()
    for answer, question in given:
        for code, name in question.codes.items():
            won[name, question.intensity] += 0.5 if answer.chosen is None else float(answer.chosen == code)
            answers[name, question.intensity] += 1
    return _listed(won, answers)


def _listed(won: Mapping[tuple[str, str], float], answers: Mapping[tuple[str, str], int]) -> list[IntensityScore]:
    order = in_order({intensity for _, intensity in answers})
    return [
        IntensityScore(method=name, intensity=intensity, won=won[name, intensity], answers=answers[name, intensity])
        for name, intensity in sorted(answers, key=lambda pair: (order.index(pair[1]), pair[0]))
    ]
