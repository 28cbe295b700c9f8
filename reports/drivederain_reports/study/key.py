"""``study/key.json``: what the codes of a study's page stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime

from drivederain.errors import DataError
from drivederain_reports.study.record import VERSION, Record, read_record


class Question(Record):
    """Two pictures that are compared."""

    image: str
    dataset: str
    scene: str
    intensity: str
    codes: dict[str, str]
    """The two codes, each with its method; of an attention check with ``clear``, ``rainy`` or ``blurred``."""
    obvious: str | None
    """Of an attention check the code that everybody who looks chooses; of other questions none."""


class Key(Record):
    """All questions of a study by their codes."""

    kind: Literal["drivederain-study-key"] = "drivederain-study-key"
    version: Literal[1] = VERSION
    study: str
    """Drawn at random; the page and the answers carry it."""
    created: AwareDatetime
    run: str
    seed: int
    questions: dict[str, Question]

    @property
    def checks(self) -> int:
        return sum(question.obvious is not None for question in self.questions.values())


def read_key(path: Path) -> Key:
    """The key of a study.

    Raises:
        DataError: there is none, or it is damaged.
    """
    if not path.exists():
        raise DataError(f"{path} is not there: make a study with `drivederain-bench study new RUN`, or give its --key.")
    return read_record(path, Key, "Restore the key.json that `study new` wrote; without it no answers can be scored.")
