"""Train a trial as ``train`` would, and say of a training that was lost whether others need be."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from drivederain.engine.failures import MethodCodeError, describe, is_device_lost
from drivederain.engine.options import hyperparameters_typed
from drivederain.engine.training_run.data import find_data
from drivederain.engine.training_run.run import TrainDisplay, TrainOutcome, preset_of, train_method
from drivederain.engine.training_run.settings import TrainSettings
from drivederain.engine.tuning.trial import Interrupted, Trial, TrialFailed, TrialResult
from drivederain.errors import DataError, MethodError, OptionError
from drivederain.registry import Registry
from drivederain.results.training_folder import TrainingFolder
from drivederain.specs import MethodSpec
from drivederain.training.hyperparameters import Hyperparameters

NO_TARGETS = {"training.target_psnr": "none", "training.target_ssim": "none"}
"""A training that ends at a target says no more than that it reached it."""


@dataclass(frozen=True)
class Trainer:
    """Implements ``study.Train``."""

    base: TrainSettings
    spec: MethodSpec
    registry: Registry
    display: TrainDisplay

    def __call__(self, trial: Trial, folder: Path) -> TrialResult:
        """Train, or go on where a state lies in ``folder``.

        Raises:
            TrialFailed: this trial is lost: its options do not fit, its loss exploded, the memory was too small.
            Interrupted: Ctrl-C or SIGTERM came; a state is kept.
            DataError, OSError: pictures or disk: no other trial would escape.
        """
        # What a lost trial held of the GPU's memory.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        settings = replace(
            self.base,
            out=folder,
            options={**self.base.options, self.spec.name: {**trial.options, **NO_TARGETS}},
            seed=trial.seed,
            data_seed=self.base.seed,
            val_size=trial.val_size,
            resume=TrainingFolder(folder).state.exists(),
            checkpoint_every=0,
            samples_every=0,
            real_every=0,
            tensorboard=False,
        )
        try:
            outcome = train_method(settings, self.registry, self.display)
        except (DataError, OSError):
            raise
        except MethodCodeError as error:
            if is_device_lost(error):
                raise MethodError(f"{trial}: the GPU was lost ({error}). Give the same command again.") from error
            raise TrialFailed(describe(error)[1]) from error
        # Also where the signal came in its last step: its state is kept, and the next call takes its result from there.
        if outcome.record.signal:
            raise Interrupted(outcome.record.signal)
        return _result(outcome)


def find_pictures(
    base: TrainSettings, spec: MethodSpec, typed: Mapping[str, str], registry: Registry
) -> tuple[str, str]:
    """See before the first training that there is something to train on and something to go by.

    Returns:
        Both in words, and their fingerprint at the size of the baseline.

    Raises:
        DataError: nothing to train on.
        OptionError: nothing to validate on.
    """
    preset = preset_of(spec, base.preset)
    recipe = Hyperparameters().changed(dict(preset.training) if preset else {}, "preset ")
    found = find_data(
        replace(base, data_seed=base.seed), recipe.changed(hyperparameters_typed(typed), "training."), registry
    )
    if not found.data.validation:
        raise OptionError("tune goes by validation pictures, and there are none. Give --val-data SPEC.")
    trained, validated = len(found.data.samples), len(found.data.validation)
    words = f"{trained} pictures to train on ({found.trained_on}), {validated} to validate on ({found.validated_on})"
    return words, found.fingerprint(photos=True)


def _result(outcome: TrainOutcome) -> TrialResult:
    record = outcome.record
    if record.best is None or record.best.scores is None:
        raise TrialFailed(f"no epoch has a PSNR that is a number ({record.stop_reason})")
    return TrialResult(
        psnr=record.best.scores.psnr,
        ssim=record.best.scores.ssim,
        epoch=record.best.epoch,
        epochs=record.epochs,
        seconds=record.seconds,
        rainy_psnr=float(outcome.rainy["psnr"]),
        options=outcome.folder.read_record()["method_options"],
        hyperparameters=record.hyperparameters,
        stop_reason=record.stop_reason,
    )
