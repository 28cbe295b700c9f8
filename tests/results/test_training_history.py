"""The table of a training reads back as it was written."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from drivederain.errors import DataError
from drivederain.results.training_history import EpochRecord, Scores, as_csv, best_of, read_history


def record(epoch: int, psnr: float | None) -> EpochRecord:
    scores = None if psnr is None else Scores(0.1 / epoch, psnr, 0.8, {"light": psnr + 1 / 3}, {"light": 0.9})
    return EpochRecord(epoch, 10 * epoch, 1.25 * epoch, 1e-4 / 3, {"l1": 0.1, "loss": 1 / 3}, 12.5, 0.0123, scores)


def test_it_reads_back_as_it_was_written(tmp_path: Path) -> None:
    history = [record(1, None), record(2, 21.1), record(3, math.inf)]
    path = tmp_path / "epochs.csv"
    path.write_text(as_csv(history), encoding="utf-8")
    assert read_history(path) == history
    assert [EpochRecord.from_row(each.row()) for each in history] == history


def test_the_best_epoch_has_the_highest_psnr_the_first_of_equals() -> None:
    history = [record(1, 20.0), record(2, 22.0), record(3, 22.0), record(4, math.nan), record(5, None)]
    assert best_of(history) is history[1]
    assert best_of([record(1, None)]) is None and best_of([]) is None


@pytest.mark.parametrize("text", ["epoch,step\n1,2\n", "not a table\nat all\n"])
def test_other_files_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "epochs.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"epochs\.csv is damaged, or no table of a training"):
        read_history(path)
    with pytest.raises(DataError, match="Give the folder of a training"):
        read_history(tmp_path / "missing.csv")
