"""The plan's criteria on a run whose scores say which of them are met."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.results.run_folder import RunFolder
from drivederain.results.stage_gains import stage_gains
from drivederain.results.statistics import COLUMNS, image_scores, summarise
from drivederain_reports.criteria import Answer, checklists
from drivederain_reports.run_about import read_about
from drivederain_reports.score_tables import groups
from tests.reports.conftest import FakeRun


def answers(run: RunFolder) -> dict[str, dict[str, Answer]]:
    """By title and method, of the first group."""
    about, results = (
        read_about(run),
        run.results([*COLUMNS, "stage", "reason", "stepped_down", "weights_class", "budget"]),
    )
    scores = image_scores(results)
    names = [method.name for method in about.methods]
    shown = groups(results, scores, summarise(results), about.datasets, about.metrics, names)
    first = checklists(shown, scores, stage_gains(results, names), about.trainings)[0]
    return {row.title: dict(zip(first.methods, row.answers, strict=True)) for row in first.criteria}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Answer]]:
    run = FakeRun(scenes=12, failing=(), images=False, with_second=False).build(tmp_path_factory.mktemp("run") / "r")
    return answers(run)


def test_targets_are_held_against_means(found: dict[str, dict[str, Answer]]) -> None:
    assert found["PSNR above 28 dB"]["unet"].outcome == "met"
    assert found["PSNR above 28 dB"]["unet"].figure.endswith(" dB")
    assert {name: answer.outcome for name, answer in found["SSIM above 0.85"].items()} == {
        name: "met" if float(answer.figure) > 0.85 else "not met" for name, answer in found["SSIM above 0.85"].items()
    }


def test_a_refiner_that_adds_a_tenth_does_not_add_two(found: dict[str, dict[str, Answer]]) -> None:
    refiner = found["Refiner adds 2 dB"]
    assert refiner["unet"].outcome == "not asked"
    assert refiner["unet+diffusion"].outcome == "not met"
    assert refiner["unet+diffusion"].figure.startswith("+0.")


def test_better_than_every_baseline_needs_the_test(found: dict[str, dict[str, Answer]]) -> None:
    baselines = found["Better than every baseline"]
    assert (baselines["unet"].outcome, baselines["unet"].figure) == ("met", "1 of 1")
    assert baselines["unet+diffusion"].outcome == "met"  # unet is its own stage
    assert baselines["restormer"].outcome == "not met"
    assert baselines["restormer"].why == "not above unet"


def test_degradation_and_robustness(found: dict[str, dict[str, Answer]]) -> None:
    assert found["No degradation"]["unet"].outcome == "met"
    assert found["No degradation"]["unet"].why == "0 of 12 images worse than their input there"
    robust = found["Robust from light to heavy"]["unet"]
    assert robust.figure.startswith("falls ")
    assert robust.outcome in ("met", "not met")


def test_what_was_not_measured_is_not_measurable(found: dict[str, dict[str, Answer]]) -> None:
    for title in ("Validation above 25 dB", "Real photographs: less visible rain"):
        assert {answer.outcome for answer in found[title].values()} == {"not measurable"}
        assert all(answer.why for answer in found[title].values())


def test_a_method_that_does_harm(tmp_path: Path) -> None:
    run = FakeRun(scenes=8, methods=("identity", "harmful", "unet"), failing=(), images=False, with_second=False)
    run.gain = {"harmful": -1.0}
    harmful = answers(run.build(tmp_path / "r"))["No degradation"]["harmful"]
    assert harmful.outcome == "not met"
    assert harmful.figure.startswith("least −")
    assert harmful.why == "8 of 8 images worse than their input there"
