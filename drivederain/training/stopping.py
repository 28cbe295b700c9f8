"""When a training has done enough or goes wrong, read off its history alone, so that a resumed one decides alike."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from drivederain.results.training_history import EpochRecord
from drivederain.training.hyperparameters import Hyperparameters

IMPROVEMENT = 1e-4
"""Share by which a validation loss must be below the lowest so far to count as lower (that of ReduceLROnPlateau)."""


def target_reached(history: Sequence[EpochRecord], hyperparameters: Hyperparameters) -> str:
    """In words, that the last epoch is above the targets of PSNR and SSIM; "" where it is not, or there are none."""
    scores = history[-1].scores if history else None
    targets = {"PSNR": hyperparameters.target_psnr, "SSIM": hyperparameters.target_ssim}
    if scores is None or all(target is None for target in targets.values()):
        return ""
    reached = {"PSNR": scores.psnr, "SSIM": scores.ssim}
    if all(target is None or reached[name] > target for name, target in targets.items()):
        words = " and ".join(f"{name} {reached[name]:.4g} > {target:g}" for name, target in targets.items() if target)
        return f"the target was reached: validation {words}"
    return ""


def no_longer_better(history: Sequence[EpochRecord], hyperparameters: Hyperparameters) -> str:
    """In words, that the validation loss has not fallen for ``patience`` epochs; "" otherwise."""
    if hyperparameters.patience is None:
        return ""
    lowest, at = float("inf"), 0
    validated = [record for record in history if record.scores is not None]
    for record in validated:
        assert record.scores is not None
        if record.scores.loss < lowest * (1 - IMPROVEMENT):
            lowest, at = record.scores.loss, record.epoch
    if not validated or validated[-1].epoch - at < hyperparameters.patience:
        return ""
    since = validated[-1].epoch - at
    return f"early stopping: no lower validation loss for {since} epochs (lowest {lowest:.5f}, epoch {at})"


def overfits(history: Sequence[EpochRecord], hyperparameters: Hyperparameters) -> str:
    """In words, that over the last ``overfitting_patience`` validations the validation loss rose while training fell.

    Each loss is compared as the mean of the later half of them with the mean of the earlier half, and the validation
    loss must be above its lowest all the time: single epochs are noisy.
    """
    count = hyperparameters.overfitting_patience
    validated = [record for record in history if record.scores is not None]
    if hyperparameters.overfitting == "ignore" or len(validated) <= count:
        return ""
    losses = [record.scores.loss for record in validated if record.scores is not None]
    lowest, recent = min(losses[:-count]), validated[-count:]
    if min(losses[-count:]) <= lowest:
        return ""
    middle = count // 2
    trained = [record.losses.get("loss", 0.0) for record in recent]
    rises = fmean(losses[-count:][middle:]) > fmean(losses[-count:][:middle])
    falls = fmean(trained[middle:]) < fmean(trained[:middle])
    if not (rises and falls):
        return ""
    return (
        f"overfitting: for {count} validations the validation loss stayed above its lowest {lowest:.5f} and rose to "
        f"{losses[-1]:.5f}, while the training loss fell to {trained[-1]:.5f}"
    )
