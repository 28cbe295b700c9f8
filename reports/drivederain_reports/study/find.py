"""Which run a study's answers are of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from drivederain.errors import DataError, OptionError
from drivederain.results.run_folder import RunFolder
from drivederain_reports.study.answers import AGAIN, Answers
from drivederain_reports.study.folder import StudyFolder
from drivederain_reports.study.key import read_key
from drivederain_reports.study.record import read_record

RUNS = Path("runs")
"""Where ``run`` writes unless it is told otherwise."""


def answer_files(given: Sequence[Path]) -> list[Path]:
    """The files that are named, and those of folders that are named.

    Raises:
        OptionError: a folder holds no ``.json`` file.
    """
    files: list[Path] = []
    for path in given:
        inside = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not inside:
            raise OptionError(f"{path} holds no .json file. Put the files of answers there, or name them.")
        files += inside
    return files


def find_run(files: Sequence[Path], runs: Path = RUNS) -> RunFolder:
    """The run in ``runs`` whose study the first usable file of answers is of.

    Raises:
        DataError: no file can be used.
        OptionError: there is no such run.
    """
    named: dict[str, Path] = {}
    problems = []
    for file in files:
        try:
            named.setdefault(read_record(file, Answers, AGAIN).study, file)
        except DataError as error:
            problems.append(error)
    if not named:
        raise problems[0]
    for run in (RunFolder(path) for path in sorted(runs.glob("*"))):
        try:
            study = read_key(StudyFolder.of(run).key).study
        except DataError:
            continue
        if study in named:
            return run
    raise OptionError(
        f"{next(iter(named.values()))}: no run in {runs}/ has the study that it answers. Give --run the run."
    )
