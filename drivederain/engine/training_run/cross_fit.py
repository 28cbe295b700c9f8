"""Cross-fitting: a refiner is trained on estimates by stages that have not seen the scene (``train --folds K``).

A stage knows the pictures that it was trained on, so its estimates of them are better than those of new ones, and a
refiner that is trained on them learns too little. Each of K stages is trained without the scenes of one fold, and makes
the estimates of these. In use the refiner stands behind the stage that has seen all scenes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivederain.chain_expression import ChainSpec
from drivederain.data.sample import Sample
from drivederain.engine.on_demand import OnDemand
from drivederain.engine.stages import ReadyStage
from drivederain.engine.train import estimates_of, prefix_of
from drivederain.engine.training_run.settings import TrainSettings
from drivederain.errors import OptionError
from drivederain.results.training_folder import TrainingFolder
from drivederain.training.data import Estimate, Prefix
from drivederain.training.folds import Folds, folds_of
from drivederain.training.progress import Budget
from drivederain.weights import given

FOLDER = "folds"
"""In the training's folder: a training for each fold, by its number from 1."""


@dataclass(frozen=True)
class CrossFitted:
    """The estimates of training samples, by the stage of each sample's fold."""

    folds: Folds
    prefixes: tuple[Prefix, ...]
    estimate: Estimate


def fold_settings(settings: TrainSettings, behind: ReadyStage, budget: Budget) -> list[TrainSettings]:
    """What the stage of each fold is trained as: the stage's own recipe from random weights.

    The budget is the same, or that with which an earlier attempt began the fold.

    Raises:
        OptionError: there is more than one stage before the refiner, or it cannot be trained.
    """
    name = behind.spec.name
    if behind.before is not None or not behind.spec.trainable:
        raise OptionError(
            f"--folds {settings.folds}: {behind.chain.name} must be a single stage that can be trained. Leave it out."
        )
    architecture = dict(behind.found.architecture) if behind.found else {}
    options = {key: json.dumps(value) for key, value in architecture.items()} | dict(settings.options.get(name, {}))
    made = []
    for fold in range(settings.folds):
        folder = TrainingFolder(settings.out / FOLDER / str(fold + 1))
        # One that there is stays as it was begun, whatever the refiner may take by now: so its budget is its own.
        begun = folder.read_record().get("budget") if folder.record.exists() else None
        made.append(
            replace(
                settings,
                method=name,
                out=folder.path,
                real=None,
                preset="",
                joint=False,
                folds=0,
                left_out=(fold, settings.folds),
                options={name: options},
                weights={},
                budget=Budget(**begun) if begun else budget,
                checkpoint_every=0,
                samples_every=0,
                resume=folder.record.exists(),
                tensorboard=False,
            )
        )
    return made


def cross_fitted(
    settings: Sequence[TrainSettings], behind: ReadyStage, samples: Sequence[Sample], estimates: OnDemand
) -> CrossFitted:
    """The estimates by the trained stages of the folds."""
    stages = []
    for number, each in enumerate(settings, 1):
        folder = TrainingFolder(each.out)
        path = folder.best if folder.best.exists() else folder.last
        chain = ChainSpec(f"{behind.chain.name} (fold {number} of {len(settings)})", behind.chain.stages)
        stages.append(replace(behind, chain=chain, found=given(path)))
    folds = folds_of(samples, len(settings))
    of_fold: list[Callable[[Sample], NDArray[np.uint8]]] = [estimates_of(estimates, stage) for stage in stages]
    return CrossFitted(
        folds=folds,
        prefixes=tuple(prefix_of(estimates, stage) for stage in stages),
        estimate=lambda sample: of_fold[folds.of(sample)](sample),
    )
