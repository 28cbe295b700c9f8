"""Files of answers: what the page saves, checked against the key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from drivederain.errors import DataError
from drivederain_reports.study.key import Key
from drivederain_reports.study.record import VERSION, Record, read_record

AGAIN = "Ask the rater to save it again, or leave the file out."


class Answer(Record):
    """What was seen and chosen."""

    question: str
    left: str
    """The code of the picture on the left (above, on a phone)."""
    right: str
    chosen: str | None
    """``left`` or ``right``; ``None``: they could not tell."""
    seconds: Annotated[float, Field(ge=0)]


class Answers(Record):
    """One visit of one rater."""

    kind: Literal["drivederain-study-answers"]
    version: Literal[1] = VERSION
    study: str
    rater: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    """Drawn at random when the page was opened first."""
    seed: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Of the order and the sides."""
    started: AwareDatetime
    saved: AwareDatetime
    answers: list[Answer]


def read_answers(path: Path, key: Key) -> Answers:
    """The answers in a file.

    Raises:
        DataError: it is no such file, is of another study, or has answers that its page could not have saved.
    """
    found = read_record(path, Answers, AGAIN)
    if found.study != key.study:
        raise DataError(
            f"{path} answers the study {found.study:.40}, and this is {key.study}. "
            "Give --run the run whose page it is from, or leave the file out."
        )
    if not found.answers:
        raise DataError(f"{path} has no answers. {AGAIN}")
    seen = set()
    for number, answer in enumerate(found.answers, 1):
        question = key.questions.get(answer.question)
        if question is None or {answer.left, answer.right} != question.codes.keys():
            raise DataError(f"{path}: answer {number} has codes that are not in the key of this study. {AGAIN}")
        if answer.chosen not in (answer.left, answer.right, None):
            raise DataError(f"{path}: answer {number} chose a picture that was not shown. {AGAIN}")
        if answer.question in seen:
            raise DataError(f"{path}: answer {number} is to a question that was answered before. {AGAIN}")
        seen.add(answer.question)
    return found
