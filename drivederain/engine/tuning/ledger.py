"""The trials of a study on the disk, in Optuna's journal: after a kill at any moment it is known what is done.

``optuna-dashboard OUT/study.journal`` shows them. Optuna keeps and does not choose: there are no parameters that it
suggests, what a trial is stands in its user attributes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from drivederain.engine.tuning.trial import Ended, Trial, TrialFailure, TrialResult, ended_from
from drivederain.errors import DataError, OptionError
from drivederain.implementation import install_hint, missing_modules
from drivederain.results.run_folder import folder_name

JOURNAL = "study.journal"
LOCK = ".lock"
TRIALS = "trials"
NAME = "tune"
"""Of the study in the journal."""


def check_installed() -> None:
    """Find out at once whether Optuna is there.

    Raises:
        OptionError: it is not; the message says what to install.
    """
    if missing_modules(["optuna"]):
        hint = install_hint("drivederain", "tune")
        raise OptionError(f"tune keeps its trials with optuna, which is not installed. Install with: {hint}")


class Ledger:
    """Open with ``with``; one process at a time.

    Args:
        folder: of the study.
        frame: all that trials of a study have in common, as JSON has it. A study that was begun with another is not
            gone on with.
        retry_failed: trials that failed before this one began count as not tried.

    Raises:
        DataError: on opening; the folder holds something else, a study of another frame, a damaged one, or one that is
            worked at.
    """

    def __init__(self, folder: Path, frame: Mapping[str, Any], *, retry_failed: bool = False) -> None:
        check_installed()
        self.folder, self.retry_failed = folder, retry_failed
        self.frame: dict[str, Any] = json.loads(json.dumps(frame))
        self._lock = FileLock(folder / LOCK)

    def __enter__(self) -> Ledger:
        self.folder.mkdir(parents=True, exist_ok=True)
        journal = self.folder / JOURNAL
        if not journal.exists() and any(entry.name != LOCK for entry in self.folder.iterdir()):
            raise DataError(f"{self.folder} holds files and no study. Give another --out.")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DataError(
                f"{self.folder} is worked at by another process. Wait for it, or give another --out."
            ) from None
        try:
            self._open(journal)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def _open(self, journal: Path) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        _cut_torn_line(journal)
        try:
            backend = optuna.storages.journal.JournalFileBackend(str(journal), lock_obj=_NoLock())
            self._storage = optuna.storages.JournalStorage(backend)
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=NAME,
                sampler=optuna.samplers.RandomSampler(seed=0),
                direction="maximize",
                load_if_exists=True,
            )
            known = self._study.user_attrs.get("frame")
            self._before = len(self._trials())
        except OSError:
            raise
        except Exception as error:  # Optuna raises whatever a journal that is none makes it meet
            raise DataError(
                f"{journal} is damaged ({type(error).__name__}: {error}). Give another --out, or delete the folder."
            ) from error
        if known is None:
            self._study.set_user_attr("frame", self.frame)
        elif known != self.frame:
            raise DataError(f"{self.folder} holds a study of other trainings: {_difference(known, self.frame)}")
        for trial in self._running():
            # Killed between its begin and its name, or between its outcome and its end.
            if "key" not in trial.user_attrs:
                self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            elif "outcome" in trial.user_attrs:
                self._tell(trial.number, ended_from(trial.user_attrs["outcome"]))

    def find(self, trial: Trial) -> Ended | None:
        """What came of a trial; ``None`` where it has not ended."""
        for known in reversed(self._trials()):
            attributes = known.user_attrs
            if attributes.get("key") != trial.key or "outcome" not in attributes:
                continue
            ended = ended_from(attributes["outcome"])
            if isinstance(ended, TrialFailure) and self.retry_failed and known.number < self._before:
                return None
            return ended
        return None

    def begin(self, trial: Trial) -> Path:
        """The folder of a trial that is to be trained now: that of the one that was killed, or a new one."""
        for known in self._running():
            if known.user_attrs.get("key") == trial.key:
                return self._inside(str(known.user_attrs["folder"]))
        # Optuna holds no parameters: `ask` gives no more than a number.
        begun = self._study.ask()
        folder = _folder(sum("key" in known.user_attrs for known in self._trials()), trial)
        about = {"variable": trial.variable, "value": trial.label, "seed": trial.seed, "options": dict(trial.options)}
        for name, value in {**about, "folder": folder, "key": trial.key}.items():
            begun.set_user_attr(name, value)
        return self.folder / TRIALS / folder

    def end(self, trial: Trial, ended: Ended) -> None:
        """Note what came of the trial that was begun last."""
        number = self._number(trial)
        study = self._storage.get_study_id_from_name(NAME)
        place = self._storage.get_trial_id_from_study_id_trial_number(study, number)
        self._storage.set_trial_user_attr(place, "outcome", ended.plain())
        self._tell(number, ended)

    def folder_of(self, trial: Trial) -> Path | None:
        """Where a trial was trained, or is; ``None`` where it was not begun."""
        for known in reversed(self._trials()):
            if known.user_attrs.get("key") == trial.key:
                return self._inside(str(known.user_attrs["folder"]))
        return None

    def _inside(self, name: str) -> Path:
        """The folder of a trial by the name in the journal, which may be somebody else's."""
        if Path(name).name != name or name in ("", ".", ".."):
            raise DataError(f"{self.folder}: its journal names a trial's folder {name!r}, which is not one of its own")
        return self.folder / TRIALS / name

    def _tell(self, number: int, ended: Ended) -> None:
        import optuna

        if isinstance(ended, TrialResult):
            self._study.tell(number, ended.psnr)
        else:
            self._study.tell(number, state=optuna.trial.TrialState.FAIL)

    def _number(self, trial: Trial) -> int:
        return next(int(known.number) for known in self._running() if known.user_attrs.get("key") == trial.key)

    def _trials(self) -> list[Any]:
        return list(self._study.get_trials(deepcopy=False))

    def _running(self) -> list[Any]:
        return [trial for trial in self._trials() if not trial.state.is_finished()]


class _NoLock:
    """The study's own lock is enough, and goes with its process; Optuna's would outlive a kill."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        """There is nothing to release."""


def _cut_torn_line(journal: Path) -> None:
    """What a kill left of the last line would be joined to the next one."""
    if not journal.exists():
        return
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(journal, whole)


def _folder(number: int, trial: Trial) -> str:
    words = [f"{number:03d}", trial.variable]
    if trial.label:
        words.append(trial.label.partition(", ")[0].partition("=")[2])
    return folder_name("-".join([*words, f"seed{trial.seed}"]))[:100]


def _difference(known: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = [name for name in {**known, **now} if known.get(name) != now.get(name)]
    shown = [
        "its pictures are not the same"
        if name == "pictures"
        else f"{name} was {known.get(name)!r} and is {now.get(name)!r}"
        for name in names
    ]
    return f"{'; '.join(shown)}. Leave it as it was, or give another --out."
