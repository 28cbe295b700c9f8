"""Writes a study: ``study/index.html`` for raters and ``study/key.json``, which says what its codes stand for."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drivederain.errors import OptionError
from drivederain.results.run_folder import RunFolder, write_atomically
from drivederain_reports.figures import plural
from drivederain_reports.study.candidates import candidates, compared_methods
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.key import Key, Question
from drivederain_reports.study.packed import PackedPictures, pack, rainy_side
from drivederain_reports.study.record import write_record
from drivederain_reports.study.selection import check_questions, pair_questions


@dataclass(frozen=True)
class NewStudy:
    """What was written."""

    folder: StudyFolder
    methods: tuple[str, ...]
    pairs: int
    """Questions that compare two methods."""
    checks: int
    width: int
    """Of the widest picture in the page, pixels."""
    bytes: int
    notes: tuple[str, ...]
    """What is not as it was asked for."""


def new_study(
    run: RunFolder,
    *,
    questions: int = 30,
    checks: int = 3,
    methods: Sequence[str] = (),
    with_input: bool = True,
    seed: int = 0,
    send_to: str = "",
    replace: bool = False,
) -> NewStudy:
    """Pick questions by hashes of names and write a study into the run.

    Which questions are asked is the same for the same run and options; their codes are drawn at random each time.

    Args:
        questions: pairs of pictures, attention checks not counted.
        methods: chains; none: all of the run that have stored pictures.
        with_input: the rainy input competes as if it were a method.
        send_to: where raters send their answers, in words.
        replace: a study that is there already.

    Raises:
        DataError: no run, or nothing to compare in it.
        OptionError: an option is not usable, or there is a study.
    """
    for option, value, least in (("--questions", questions, 1), ("--checks", checks, 0)):
        if value < least:
            raise OptionError(f"{option} {value}: write {least} or more")
    run.about()  # says so where the folder is no run
    folder = StudyFolder.of(run)
    if folder.key.exists() and not replace:
        raise OptionError(
            f"{folder.path} holds a study, and answers to it can be scored with its key.json only. Keep it and give "
            "another run, or write over it with --replace."
        )
    known, strata = candidates(run, seed)
    compared = compared_methods(run, known, methods, with_input, strata)
    picked = pair_questions(strata, compared, questions, seed)
    packed = pack(check_questions(strata, checks, seed), picked)
    key = _key(run, packed, seed)
    page = _page(key, packed, send_to).encode("utf-8", "replace")
    write_atomically(folder.page, page)
    write_record(folder.key, key)
    pairs = len(key.questions) - key.checks
    notes = []
    if len(picked) < questions:
        notes.append(f"{plural(len(picked), 'question')} instead of {questions}: no more pictures are stored")
    if pairs < len(picked):
        notes.append(f"{plural(pairs, 'question')} instead of {len(picked)}: the page would become too large")
    if pairs < (every := len(list(combinations(compared, 2)))):
        notes.append(f"{pairs} of {every} pairs of methods are compared; all are with --questions {every}")
    if key.checks < checks:
        notes.append(f"{plural(key.checks, 'attention check')} instead of {checks}: there are no more pictures")
    return NewStudy(folder, tuple(compared), pairs, key.checks, packed.width, len(page), tuple(notes))


def _key(run: RunFolder, packed: PackedPictures, seed: int) -> Key:
    questions = {}
    for asked in packed.asked:
        codes = [secrets.token_hex(6) for _ in asked.sides]
        questions[secrets.token_hex(6)] = Question(
            image=_text(asked.candidate.image),
            dataset=_text(asked.candidate.dataset),
            scene=_text(asked.candidate.scene),
            intensity=_text(asked.candidate.intensity),
            codes={code: _text(side.name) for code, side in zip(codes, asked.sides, strict=True)},
            obvious=codes[0] if asked.obvious else None,
        )
    return Key(
        study=secrets.token_hex(8),
        created=datetime.now(UTC).replace(microsecond=0),
        run=_text(run.name),
        seed=seed,
        questions=questions,
    )


def _text(name: str) -> str:
    """Names of files may hold bytes that are no text; JSON may not."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _page(key: Key, packed: PackedPictures, send_to: str) -> str:
    """The page. All lists in it are sorted by codes, which are random, so that their order tells nothing."""
    numbers = {address: secrets.token_hex(6) for address in dict.fromkeys(packed.addresses.values())}
    shown = []
    for (code, question), asked in zip(key.questions.items(), packed.asked, strict=True):
        sides = zip(question.codes, (numbers[packed.addresses[side]] for side in asked.sides), strict=True)
        rainy = numbers[packed.addresses[rainy_side(asked)]]
        shown.append({"id": code, "rainy": rainy, "sides": sorted(map(list, sides))})
    data = {
        "study": key.study,
        "questions": sorted(shown, key=lambda each: str(each["id"])),
        "pictures": dict(sorted((number, address) for address, number in numbers.items())),
    }
    css, script = _static("study.css"), _static("study.js")
    environment = Environment(
        loader=PackageLoader("drivederain_reports"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("study/page.html.j2").render(
        study=key.study,
        count=len(shown),
        send_to=send_to,
        data=Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")),
        css=Markup(css),
        css_hash=_hash(css),
        script=Markup(script),
        script_hash=_hash(script),
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _static(name: str) -> str:
    return (Path(__file__).parent.parent / "static" / "study" / name).read_text(encoding="utf-8")
