"""One trial: a short training with one setting and one seed, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from drivederain.engine.keys import key_of
from drivederain.engine.training_run.settings import Size


@dataclass(frozen=True)
class Trial:
    """What is trained."""

    variable: str
    """That it is trained for; ``baseline``."""
    label: str
    """The value in words; ``""`` for the baseline."""
    options: Mapping[str, str]
    """The whole setting, as it is typed after ``--set METHOD.``."""
    seed: int
    val_size: Size | None = None
    """Of the validation pictures; ``None``: the size trained at."""

    @property
    def key(self) -> str:
        """The same for trials that train the same."""
        return key_of({"options": dict(self.options), "seed": self.seed, "val_size": self.val_size})

    def __str__(self) -> str:
        return f"{self.label or self.variable}, seed {self.seed}"


@dataclass(frozen=True)
class TrialResult:
    """A training that came to its end, with the scores of its best epoch (highest validation PSNR)."""

    psnr: float
    """Of the validation pictures, dB."""
    ssim: float
    epoch: int
    epochs: int
    seconds: float
    rainy_psnr: float
    """Of the rainy validation pictures themselves: the same for all trials that may be compared."""
    options: Mapping[str, Any]
    """All options of the method, those by default too, as JSON has them."""
    hyperparameters: Mapping[str, Any]
    stop_reason: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class TrialFailure:
    """A training that cannot be done, and why."""

    reason: str

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


Ended = TrialResult | TrialFailure


def ended_from(plain: Mapping[str, Any]) -> Ended:
    """What ``plain`` gave.

    Raises:
        TypeError: it is nothing of the kind.
    """
    return TrialFailure(**plain) if "reason" in plain else TrialResult(**plain)


class Interrupted(KeyboardInterrupt):
    """A signal ended the training at hand; its state is kept."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class TrialFailed(Exception):
    """Raised by what trains a trial: this trial is lost, and others need not be."""
