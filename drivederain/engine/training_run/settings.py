"""What one training was asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from drivederain.errors import DataError
from drivederain.results.training_folder import TrainingFolder
from drivederain.specs import INTENSITIES, Intensity
from drivederain.training.progress import Budget

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Size = int | Literal["native"]
"""Shorter side in pixels that pictures are shrunk to."""


@dataclass(frozen=True)
class TrainSettings:
    """The options of ``train``. See ``drivederain-bench train --help`` for each."""

    method: str
    """A method, or a chain whose last method is trained: ``unet+diffusion``."""
    data: tuple[str, ...]
    out: Path
    cache: Path
    mix: tuple[float, ...] = ()
    """Share of the draws that each of ``data`` has; none: that of its pictures."""
    val_data: tuple[str, ...] = ()
    val_limit: int | None = None
    val_size: Size | None = None
    """Of the validation pictures; ``None``: the size trained at."""
    real: str | None = None
    """Rainy photos without truth."""
    preset: str = ""
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Method -> option -> value, as typed; ``training.NAME`` for hyperparameters."""
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Of the stages before; for the trained method, what it starts from."""
    joint: bool = False
    """Train the stages before a refiner together with it."""
    folds: int = 0
    """Of cross-fitting: a refiner is trained on estimates by stages that have not seen the scene; 0: by the stage."""
    left_out: tuple[int, int] | None = None
    """The fold, from 0, and the number of folds, whose scenes are not trained on."""
    budget: Budget | None = None
    """``None``: the preset's, else ``DEFAULT_BUDGET``."""
    seed: int = 0
    data_seed: int | None = None
    """Of the rain of the data sets, so that trainings with several seeds have the same pictures; ``None``: ``seed``."""
    intensities: tuple[Intensity, ...] = INTENSITIES
    device: str = "auto"
    precision: Precision = "auto"
    devices: int = 1
    nodes: int = 1
    workers: int | None = None
    validate_every: int = 1
    checkpoint_every: int = 10
    samples_every: int = 5
    real_every: int = 10
    save_seconds: float = 60.0
    save_steps: int | None = None
    resume: bool = False
    tensorboard: bool = True
    data_options: Mapping[str, str] = field(default_factory=dict)
    skip_bad: bool = False
    download: bool = False
    command: tuple[str, ...] = ()

    @property
    def photos(self) -> str | None:
        """``real`` as a data set: a folder is one of the kind ``real``."""
        return self.real if self.real is None or ":" in self.real else f"real:{self.real}"

    def record(self) -> dict[str, Any]:
        """What is needed to go on with the training, as JSON has it."""
        return {
            "method": self.method,
            "data": list(self.data),
            "mix": list(self.mix),
            "val_data": list(self.val_data),
            "val_limit": self.val_limit,
            "val_size": self.val_size,
            "real": self.real,
            "preset": self.preset,
            "joint": self.joint,
            "folds": self.folds,
            "left_out": list(self.left_out) if self.left_out else None,
            "options": {method: dict(typed) for method, typed in self.options.items()},
            "weights": {method: str(path) for method, path in self.weights.items()},
            "budget": {} if self.budget is None else {n: v for n, v in vars(self.budget).items() if v is not None},
            "seed": self.seed,
            "data_seed": self.data_seed,
            "intensities": list(self.intensities),
            "precision": self.precision,
            "devices": self.devices,
            "nodes": self.nodes,
            "validate_every": self.validate_every,
            "checkpoint_every": self.checkpoint_every,
            "samples_every": self.samples_every,
            "real_every": self.real_every,
            "data_options": dict(self.data_options),
            "skip_bad": self.skip_bad,
        }


def settings_of(folder: TrainingFolder, cache: Path) -> TrainSettings:
    """What the training in a folder was begun with, to be gone on with.

    Raises:
        DataError: there is no training, or its record is damaged.
    """
    record = folder.read_record()
    plain = ("method", "preset", "seed", "precision", "devices", "nodes", "real", "val_limit", "skip_bad")
    every = ("validate_every", "checkpoint_every", "samples_every", "real_every")
    try:
        values: dict[str, Any] = {name: record[name] for name in (*plain, *every)}
        values |= {name: record.get(name) for name in ("val_size", "data_seed")}
        values |= {"joint": bool(record.get("joint")), "folds": int(record.get("folds") or 0)}
        values["left_out"] = tuple(record["left_out"]) if record.get("left_out") else None
        return TrainSettings(
            out=folder.path,
            cache=cache,
            resume=True,
            data=tuple(record["data"]),
            mix=tuple(record["mix"]),
            val_data=tuple(record["val_data"]),
            intensities=tuple(record["intensities"]),
            options=record["options"],
            weights={method: Path(path) for method, path in record["weights"].items()},
            budget=Budget(**record["budget"]) if record["budget"] else None,
            data_options=record["data_options"],
            **values,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder.record} is damaged, or of another version ({error})") from error


DEFAULT_BUDGET = Budget(minutes=20)
"""Where neither the user nor a preset names one."""
