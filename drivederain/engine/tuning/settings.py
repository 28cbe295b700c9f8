"""What one study was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drivederain.engine.training_run.settings import TrainSettings
from drivederain.specs import VariableSpec
from drivederain.training.progress import Budget

BUDGET = Budget(epochs=25)
"""Of each trial, unless the user names another."""


@dataclass(frozen=True)
class TuneSettings:
    """The options of ``tune``. See ``drivederain-bench tune --help`` for each."""

    base: TrainSettings
    """The training of the baseline; its ``out`` is the folder of the study, its ``seed`` the first one."""
    variables: tuple[VariableSpec, ...]
    seeds: int = 3
    """Trainings of the baseline, and of each value that is kept."""
    margin: float = 2.0
    """Standard errors of the difference of two means that a value must be better by."""
    retry_failed: bool = False
    keep_weights: bool = False

    @property
    def out(self) -> Path:
        return self.base.out

    @property
    def all_seeds(self) -> tuple[int, ...]:
        return tuple(range(self.base.seed, self.base.seed + self.seeds))
