"""Answers as the page saves them, by raters whose taste is known."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivederain_reports.study.key import Key


def answers(
    key: Key, rater: int, taste: Mapping[str, float] | None = None, failed_checks: int = 0, **changes: Any
) -> dict[str, Any]:
    """All questions answered. Without ``taste`` everything but attention checks is a tie; ``changes`` replace keys."""
    draws, found = random.Random(rater), []
    for code, question in key.questions.items():
        (first, first_name), (second, second_name) = question.codes.items()
        left, right = (first, second) if draws.random() < 0.5 else (second, first)
        if question.obvious is not None:
            chosen = (
                question.obvious if failed_checks <= 0 else next(c for c in (first, second) if c != question.obvious)
            )
            failed_checks -= 1
        elif taste is None:
            chosen = None
        else:
            chance = 1 / (1 + math.exp(taste[second_name] - taste[first_name]))
            chosen = first if draws.random() < chance else second
        found.append({"question": code, "left": left, "right": right, "chosen": chosen, "seconds": 2.5})
    return {
        "kind": "drivederain-study-answers",
        "version": 1,
        "study": key.study,
        "rater": f"{rater:08x}",
        "seed": f"{rater:032x}",
        "started": "2026-02-03T10:00:00.000Z",
        "saved": "2026-02-03T10:05:00.000Z",
        "answers": found,
        **changes,
    }


def write_answers(folder: Path, made: Mapping[str, Any], name: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"answers-{made['rater']}.json")
    path.write_text(json.dumps(made), encoding="utf-8")
    return path
