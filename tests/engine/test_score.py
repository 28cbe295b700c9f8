"""Scores come from stored outputs, and a metric that goes wrong costs its own rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivederain.metrics.fidelity import PSNR


def table(outcome: Any, **where: str) -> Any:
    rows = outcome.folder.results()
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows


def test_a_new_metric_needs_no_inference(bench: Any, pairs: Path, calls: Any) -> None:
    bench("blur", f"paired:{pairs}", metrics=("mse",))
    done = calls["Blur"]
    outcome = bench("blur", f"paired:{pairs}", metrics=("mse", "psnr"))
    assert calls["Blur"] == done and outcome.restored_now == 0
    assert [phase for phase in bench.phases if phase.startswith(("restore", "score"))] == ["score"]
    assert set(table(outcome, status="ok")["metric"]) == {"mse", "psnr"}


def test_nothing_is_scored_twice(bench: Any, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench("blur", f"paired:{pairs}")

    def refuse(*_: Any) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr(PSNR, "score_many", refuse)
    outcome = bench("blur", f"paired:{pairs}")
    assert outcome.exit_status == 0 and set(outcome.folder.results()["status"]) == {"ok"}


def test_the_version_of_a_metric_is_part_of_the_key(bench: Any, pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench("blur", f"paired:{pairs}")
    monkeypatch.setattr(PSNR, "version", PSNR.version + 1)
    monkeypatch.setattr(PSNR, "score_many", lambda _, outputs, *__: [{"image": np.array([7.0])} for _ in outputs])
    outcome = bench("blur", f"paired:{pairs}")
    assert set(table(outcome, metric="psnr")["value"]) == {7.0}


def test_regions_need_a_mask(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    root = make_pairs(tmp_path / "masked", masks=True)
    outcome = bench("blur", f"paired:{root}")
    assert set(outcome.folder.results()["region"]) == {"image", "drops", "background"}


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("bad[raises]", r"bad\[raises\]: RuntimeError: no score today"),
        ("bad[nan]", r"bad\[nan\] gave no number for the whole picture"),
        ("bad[short]", r"bad\[short\]: TypeError: it gave \[2\] values for 1 pictures"),
        ("absent", "has no 'Absent'"),
    ],
)
def test_a_metric_that_goes_wrong_loses_its_own_rows(bench: Any, pairs: Path, metric: str, reason: str) -> None:
    outcome = bench("blur", f"paired:{pairs}", metrics=("mse", metric))
    lost = table(outcome, metric=metric.partition("[")[0])
    assert outcome.exit_status == 1
    assert set(lost["status"]) == {"failed"} and len(lost) == 6
    assert lost["reason"].str.contains(reason).all()
    assert len(table(outcome, metric="mse", status="ok")) == 6


def test_pictures_too_small_for_a_metric_are_skipped(bench: Any, pairs: Path) -> None:
    outcome = bench("blur", f"paired:{pairs}", metrics=("mse", "lpips", "ssim"), size=None)
    small = table(outcome, status="skipped")
    assert outcome.exit_status == 0
    assert set(small["metric"]) <= {"lpips"}
    assert len(table(outcome, metric="ssim", status="ok")) == 6
