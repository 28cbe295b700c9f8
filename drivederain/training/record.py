"""What a training did, for the provenance of its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivederain.results.training_history import EpochRecord, best_of
from drivederain.training.data import TrainingData
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.progress import Budget, Progress
from drivederain.training.state import Position

INTERRUPTED = "it was interrupted"


@dataclass(frozen=True)
class TrainingRecord:
    """What a training did, for the provenance of its weights."""

    steps: int
    seconds: float
    """Of training, without validation, pictures and checkpoints."""
    budget: str
    seed: int
    crop: int
    batch_size: int
    samples: int
    scenes: int
    precision: str
    epochs: int = 0
    """Whole epochs."""
    losses: dict[str, float] = field(default_factory=dict)
    """Running means of the last steps, weighted as they were trained with."""
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    history: tuple[EpochRecord, ...] = ()
    best: EpochRecord | None = None
    """The epoch with the highest validation PSNR."""
    stop_reason: str = ""
    signal: int = 0
    """The number of the signal that interrupted it."""

    @property
    def interrupted(self) -> bool:
        """Whether it ended by a signal and should be resumed."""
        return self.stop_reason == INTERRUPTED


MakeRecord = Callable[[str, Mapping[str, float]], TrainingRecord]
"""From why the training ended ("" while it goes on) and its last losses."""


def record_maker(
    position: Position,
    hyperparameters: Hyperparameters,
    data: TrainingData,
    *,
    budget: Budget,
    seed: int,
    precision: str,
    progress: Progress,
) -> MakeRecord:
    """The maker of the record of a training that is at ``position``."""
    samples = data.samples

    def make(stop_reason: str, losses: Mapping[str, float]) -> TrainingRecord:
        return TrainingRecord(
            steps=position.step,
            seconds=round(progress.seconds, 1),
            budget=str(budget),
            seed=seed,
            crop=hyperparameters.crop,
            batch_size=hyperparameters.batch_size,
            samples=len(samples),
            scenes=len({sample.scene for sample in samples}),
            precision=precision,
            epochs=position.place.epoch,
            losses={name: round(value, 6) for name, value in losses.items()},
            hyperparameters=hyperparameters.model_dump(mode="json"),
            history=tuple(position.history),
            best=best_of(position.history),
            stop_reason=stop_reason,
        )

    return make
