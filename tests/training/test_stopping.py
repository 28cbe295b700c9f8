"""Targets, early stopping and overfitting, read off the history."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from drivederain.results.training_history import EpochRecord, Scores
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.stopping import no_longer_better, overfits, target_reached


def history(
    losses: Sequence[float | None], trained: Sequence[float] | None = None, psnr: float = 20.0, ssim: float = 0.7
) -> list[EpochRecord]:
    """Epochs with these validation losses; ``None`` was not validated."""
    return [
        EpochRecord(
            epoch=number,
            step=10 * number,
            seconds=number,
            learning_rate=1e-3,
            losses={"loss": trained[number - 1] if trained else 1.0},
            images_per_second=1,
            waiting=0,
            scores=None if loss is None else Scores(loss, psnr, ssim),
        )
        for number, loss in enumerate(losses, start=1)
    ]


@pytest.mark.parametrize(
    ("psnr", "ssim", "reached"), [(28.1, 0.86, True), (28.1, 0.85, False), (28.0, 0.9, False), (27.0, 0.9, False)]
)
def test_both_targets_must_be_passed(psnr: float, ssim: float, reached: bool) -> None:
    plan = Hyperparameters(target_psnr=28, target_ssim=0.85)
    words = target_reached(history([1.0], psnr=psnr, ssim=ssim), plan)
    assert bool(words) is reached
    assert not reached or "PSNR 28.1 > 28 and SSIM 0.86 > 0.85" in words


def test_one_target_or_none() -> None:
    assert target_reached(history([1.0], psnr=29), Hyperparameters(target_psnr=28))
    assert not target_reached(history([1.0], psnr=99, ssim=0.99), Hyperparameters())
    assert not target_reached(history([None], psnr=99), Hyperparameters(target_psnr=28))


def test_early_stopping_counts_epochs_since_the_lowest_loss() -> None:
    plan = Hyperparameters(patience=3)
    assert not no_longer_better(history([1.0, 0.9, 0.95, 0.95]), plan)
    assert "for 3 epochs (lowest 0.90000, epoch 2)" in no_longer_better(history([1.0, 0.9, 0.95, 0.95, 0.9]), plan)
    assert not no_longer_better(history([1.0, 0.9, 0.95, 0.95, 0.8]), plan)
    assert no_longer_better(history([1.0, None, None, 1.1]), plan), "epochs count, also those without validation"
    assert not no_longer_better(history([1.0] * 50), Hyperparameters())


def test_overfitting_is_validation_that_rises_while_training_falls() -> None:
    plan = Hyperparameters(overfitting_patience=4)
    falls = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    rises = [0.9, 0.5, 0.4, 0.5, 0.55, 0.6, 0.7]
    assert "rose to 0.70000, while the training loss fell to 0.40000" in overfits(history(rises, falls), plan)
    assert not overfits(history(rises, falls[::-1]), plan), "training rises too: that is no overfitting"
    assert not overfits(history([0.9, 0.5, 0.4, 0.5, 0.55, 0.6, 0.3], falls), plan), "a new lowest loss"
    assert not overfits(history(rises[:4], falls[:4]), plan), "too early to say"
    assert not overfits(history(rises, falls), Hyperparameters(overfitting="ignore", overfitting_patience=4))
