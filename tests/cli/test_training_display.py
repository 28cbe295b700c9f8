"""A training on the terminal."""

from __future__ import annotations

import pytest

from drivederain.cli import training_display
from drivederain.cli.training_display import TrainingDisplay
from drivederain.results.training_history import EpochRecord, Scores


def test_steps_show_the_last_scores_and_the_share(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training_display, "EVERY", 0.0)
    record = EpochRecord(3, 12, 1.0, 1e-3, {"l1": 0.2, "loss": 0.2}, 5.0, 0.0, Scores(0.1, 22.25, 0.75))
    without = EpochRecord(4, 16, 1.0, 1e-3, {"l1": 0.2, "loss": 0.2}, 5.0, 0.0)
    with TrainingDisplay() as display:
        display.step(0.25, "step 10: loss 0.2000")
        display.epoch(record, best=True)
        display.step(0.5, "step 14: loss 0.1000")
        display.epoch(without, best=False)
        display.step(0.75, "step 18: loss 0.1000")
    first, third, second, fourth, last = capsys.readouterr().out.splitlines()
    assert first.strip() == "25.0% step 10: loss 0.2000"
    assert third.startswith("epoch   3 | step 12") and "PSNR 22.25 dB, SSIM 0.7500 * |" in third
    assert second.strip() == "50.0% step 14: loss 0.1000, validation PSNR 22.25 dB, SSIM 0.7500"
    assert "PSNR" not in fourth and last.strip().endswith("validation PSNR 22.25 dB, SSIM 0.7500")
