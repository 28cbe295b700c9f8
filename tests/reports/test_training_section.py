"""The section on training: what is said, what is drawn and where, and that it says nothing where there is nothing."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder
from drivederain_reports import training_section
from drivederain_reports.charts.figure import page_svg
from drivederain_reports.charts.training import is_logarithmic, loss_chart, loss_lines, psnr_chart, psnr_lines, thirds
from drivederain_reports.page import render
from drivederain_reports.run_about import TrainingAbout

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
BANDS = [[19.0, 21.0, "about 20 dB"], [25.0, 28.0, "25 to 28 dB"], [28.0, 30.0, "28 to 30 dB"]]


def epoch(number: int, psnr: float | None = None, loss: float = 0.2, **more: Any) -> dict[str, Any]:
    scores = {"psnr": psnr, "ssim": 0.8, "validation_loss": loss + 0.01} if psnr is not None else {}
    return {"epoch": number, "step": 10 * number, "train_loss": loss, **scores, **more}


def training(**changes: Any) -> dict[str, Any]:
    """As the engine writes it: six of nine epochs, stopped early."""
    return {
        "method": "unet",
        "chain": "unet",
        "used_in": ["unet", "unet+diffusion"],
        "weights_class": "given",
        "sha256": "ef" * 32,
        "weights_epoch": 5,
        "trained_on": "synthetic:photos",
        "samples": 63,
        "scenes": 21,
        "validated_on": "the val part",
        "validation_samples": 9,
        "budget": "9 epochs",
        "planned_epochs": 9,
        "status": "finished",
        "stop_reason": "early stopping: no lower validation loss for 2 epochs",
        "steps": 60,
        "epochs": 6,
        "seconds": 125.0,
        "precision": "fp32",
        "best_epoch": 5,
        "losses": {"loss": 0.21, "l1": 0.15, "ssim": 0.06},
        "rainy": {"psnr": 24.5, "ssim": 0.7, "loss": None},
        "expected_psnr": BANDS,
        "hyperparameters": [
            {"name": "crop", "value": 64, "default": 160, "known": True, "meaning": "side of the crops"},
            {"name": "losses", "value": {"l1": 1.0}, "default": {"l1": 1.0}, "known": True, "meaning": "weights"},
            {"name": "older", "value": None, "default": None, "known": False, "meaning": ""},
        ],
        "history": [
            epoch(n, psnr, 0.4 / n) for n, psnr in zip(range(1, 7), (18.0, 21.0, 23.0, 25.0, 26.25, 26.0), strict=True)
        ],
        "history_epochs": 6,
        "pictures": {},
        **changes,
    }


def about(**changes: Any) -> TrainingAbout:
    return TrainingAbout.model_validate(training(**changes))


def section(run: RunFolder) -> str:
    """The section's HTML; "" where there is none."""
    page = render(run).read_text(encoding="utf-8")
    found = re.search(r'<section id="training">.*?</section>', page, re.DOTALL)
    assert (found is not None) == ('<a href="#training">' in page)
    return found[0] if found else ""


def words(part: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", part)).split())


@pytest.fixture
def small(fake_run: Any, tmp_path: Path) -> Any:
    """Builds a run with these trainings: ``small(training())``."""

    def build(*trainings: dict[str, Any]) -> RunFolder:
        run = fake_run(scenes=1, images=False, with_second=False, with_real=False, about={"trainings": list(trainings)})
        built: RunFolder = run.build(tmp_path / "run")
        return built

    return build


def test_a_training_is_told_in_words(small: Any) -> None:
    part = section(small(training()))
    said = words(part)
    assert "Trained on synthetic:photos (63 pictures of 21 scenes): 60 steps in 6 epochs, 2 min 5 s." in said
    assert "Ended: early stopping: no lower validation loss for 2 epochs (budget: 9 epochs)." in said
    assert "Validated on the val part (9 pictures): best epoch 5, PSNR 26.25 dB, +1.75 dB against the rainy" in said
    assert "(24.50 dB), SSIM 0.8000 (rainy input 0.7000). The weights are of epoch 5." in said
    assert "Used in unet, unet+diffusion." in said
    assert "a running mean by term as weighted in training: 0.2100 (l1 0.1500, ssim 0.0600)" in said
    assert "Hyperparameters: 1 of 3 differ from the program's defaults" in said
    bold = re.findall(r"<strong>([^<]*)</strong>", part[part.index("<table") :])
    assert bold == ["64"] and "l1: 1" in said


def test_weights_without_a_history_are_named_and_alone_make_no_section(small: Any) -> None:
    assert section(small()) == ""
    said = words(section(small(training())))
    # The stages' own weights have another hash than the training's.
    assert (
        "No history was recorded with the weights of unet (shipped), diffusion (shipped), restormer (shipped)" in said
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "running", "stop_reason": ""}, "It had not ended when this run used it (budget"),
        ({"status": "", "stop_reason": ""}, "kept while it went on; how it ended is not recorded with them (budget"),
        ({"status": "failed", "stop_reason": "the loss exploded"}, "Failed: the loss exploded (budget"),
        ({"steps": 30, "epochs": 0, "seconds": None}, "30 steps, less than an epoch. Ended"),
    ],
)
def test_how_a_training_ended(small: Any, changes: dict[str, Any], expected: str) -> None:
    assert expected in words(section(small(training(**changes))))


def test_a_short_training_without_validation_has_words_and_no_chart(small: Any) -> None:
    part = section(small(training(history=[epoch(1)], best_epoch=None, rainy={}, expected_psnr=BANDS)))
    assert "Nothing was validated" in words(part) and "<svg viewBox" not in part
    assert "run trains on the losses alone" not in words(part), "its weights were given"
    within = section(small(training(history=[epoch(1)], best_epoch=None, weights_class="trained here")))
    assert "run trains on the losses alone and uses the last weights" in words(within)


def test_whatever_a_training_says_is_text(small: Any) -> None:
    told = training(
        chain=HOSTILE,
        used_in=[HOSTILE],
        trained_on=HOSTILE,
        stop_reason=HOSTILE,
        behind=HOSTILE,
        losses={"loss": 1.0, HOSTILE: 0.4, "l1": 0.6},
        expected_psnr=[[19, 21, HOSTILE]],
        hyperparameters=[{"name": HOSTILE, "value": {HOSTILE: [HOSTILE]}, "default": 1, "known": True}],
    )
    part = section(small(told))
    assert "<script" not in part and "<img" not in part
    assert words(part).count(HOSTILE) >= 8


def test_the_plans_bands_are_thirds_of_what_was_planned() -> None:
    assert thirds(about()) == [(0, 3), (3, 6), (6, 9)]
    chart = psnr_chart(about())
    assert chart is not None
    svg = str(page_svg(chart, 0))
    assert all(f"<title>{label}</title>" in svg for *_, label in BANDS)
    assert [key.words for key in chart.keys][-3:] == ["rainy input, 24.50 dB", "best epoch", "what the plan expects"]


def test_an_unknown_plan_of_epochs_is_that_of_the_history() -> None:
    assert thirds(about(planned_epochs=None)) == [(0, 2), (2, 4), (4, 6)]


def test_a_missing_value_is_a_gap_and_an_epoch_without_validation_is_none() -> None:
    rows = [
        epoch(1, 20.0),
        epoch(2),
        epoch(3, 21.0, psnr_heavy=18.0),
        epoch(4),
        epoch(5, 22.0),
        epoch(6, 23.0, psnr_heavy=19.0),
    ]
    lines = psnr_lines(about(history=rows))
    assert lines["all"] == [(1, 20.0), (3, 21.0), (5, 22.0), (6, 23.0)]
    assert lines["heavy"] == [(1, None), (3, 18.0), (5, None), (6, 19.0)]
    chart = psnr_chart(about(history=rows))
    assert chart is not None
    svg = str(page_svg(chart, 0))
    assert svg.count("heavy: ") == 2, "a mark where there is a value"


def test_losses_far_apart_have_a_logarithmic_axis() -> None:
    near, far = about(), about(history=[epoch(n, loss=2.0 / 10**n) for n in range(1, 5)])
    assert not is_logarithmic(loss_lines(near)) and is_logarithmic(loss_lines(far))
    chart = loss_chart(far)
    assert chart is not None and chart.caption == "The axis is logarithmic."
    heights = [float(y) for y in re.findall(r"translate\([\d.]+,([\d.]+)\)[^>]*><title>epoch", str(page_svg(chart, 0)))]
    assert np.diff(heights) == pytest.approx(np.diff(heights)[0], abs=0.1), "a tenth each epoch is a straight line"


@pytest.mark.parametrize("value", [0.0, 0.25, -3.0, 1e15, 1e-13])
def test_equal_values_can_be_drawn(value: float) -> None:
    chart = loss_chart(about(history=[epoch(1, loss=value), epoch(2, loss=value)]))
    assert chart is not None
    assert "NaN" not in page_svg(chart, 0) and page_svg(chart, 0).count("<title>epoch") == 2


def sheet(run: RunFolder, folder: str, name: str, seed: int = 0) -> None:
    path = run.path / "training" / folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (60, 90, 3), np.uint8))


def test_pictures_are_shown_and_linked_where_they_are(small: Any) -> None:
    run = small(training(pictures={"samples": 5, "real": 10}))
    sheet(run, "unet", "samples")
    part = section(run)
    assert "Validation pictures after epoch 5" in words(part) and "Real photos" not in words(part), "it is not there"
    assert re.findall(r'<img [^>]*src="(data:image/jpeg;base64,)[^"]+" width="90" height="60"', part)
    assert 'href="../training/unet/samples.png"' in part
    first = run.report_html.read_bytes()
    assert render(run).read_bytes() == first and len(list(run.previews.iterdir())) == 1, "kept for the next page"


def test_no_picture_is_taken_from_elsewhere(small: Any) -> None:
    run = small(training(chain="../../elsewhere", pictures={"samples": 5}))
    sheet(run, "../../elsewhere", "samples")
    assert "<img" not in section(run)
    sheet(run, ".._.._elsewhere", "samples")
    assert 'href="../training/.._.._elsewhere/samples.png"' in section(run)


def test_what_the_page_has_no_room_for_is_only_linked(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small(training(pictures={"samples": 5}))
    sheet(run, "unet", "samples")
    monkeypatch.setattr(training_section, "PAGE_BYTES", 100)
    part = section(run)
    assert "<img" not in part and "would have become too large" in words(part) and "samples.png" in words(part)


@pytest.mark.parametrize("bad", [{"psnr": float("nan")}, {"train_loss": float("inf")}, {"epoch": 0}, {"psnr": "x"}])
def test_a_damaged_record_is_named(small: Any, bad: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=rf"damaged: trainings\.0\.history\.0\.{next(iter(bad))}"):
        render(small(training(history=[epoch(1) | bad])))
