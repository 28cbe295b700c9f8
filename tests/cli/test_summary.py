"""The table at the end of a run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from drivederain.cli import console as console_module
from drivederain.cli import summary
from drivederain.engine.rows import NO_TRUTH
from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import Row
from drivederain.results.store import write_results


def row(method: str, image: str, intensity: str, value: float | None, metric: str = "psnr", **more: Any) -> Row:
    variants = {"psnr": "rgb", "ssim": "rgb", "lpips": "alex"}
    values: dict[str, Any] = {
        "run": "r", "method": method, "key": "k", "dataset": "synthetic:photos", "split": "all", "image": image,
        "scene": image, "intensity": intensity, "intensity_source": "recorded", "borderline": False, "region": "image",
        "metric": metric, "variant": variants[metric], "value": value, "status": "ok", "reason": "", "stage": method,
        "sample": 0, "size": "native", "weights_class": "none", "budget": "", "seen": False, "precision": "fp32",
    }  # fmt: skip
    return Row(**{**values, **more})


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def show(rows: list[Row], methods: list[str], width: int = 140, about: dict[str, Any] | None = None) -> str:
        write_results(tmp_path / "results.parquet", rows)
        known = {
            "methods": [{"name": name} for name in methods],
            "datasets": [{"name": "real:x", "has_truth": False}],
            **(about or {}),
        }
        (tmp_path / "run.json").write_text(json.dumps(known))
        console = Console(width=width, record=True, force_terminal=False, emoji=False)
        monkeypatch.setattr(summary, "console", console)
        summary.show_summary(RunFolder(tmp_path))
        return console.export_text()

    return show


ROWS = [
    row(method, f"p{number}@{intensity}", intensity, value + number / 10, metric, scene=f"p{number}")
    for method, gain in (("identity", 0.0), ("unet", 2.0))
    for number in range(3)
    for intensity, start in (("light", 30.0), ("heavy", 20.0))
    for metric, value in (("psnr", start + gain), ("ssim", 0.5), ("lpips", 0.3 - gain / 10))
]


def test_method_by_intensity_with_gain_over_the_rainy_input(shown: Any) -> None:
    text = shown(ROWS, ["identity", "unet"])
    light = text[text.index("light") : text.index("heavy")]
    assert "synthetic:photos (intensity recorded)" in text
    assert light.index("identity") < light.index("unet")
    assert "30.10 [29.85, 30.35]" in light and "32.10 [31.85, 32.35] +2.00" in light
    assert "-0.200" in light and " 3 " in light
    assert "20.10" in text[text.index("heavy") :] and "all" in text


def test_failures_and_infinity_are_shown(shown: Any) -> None:
    lost = [row("unet", "p1@light", "light", None, status="failed", reason="x")]
    kept = [one for one in ROWS if one.metric == "psnr" and (one.method, one.image) != ("unet", "p1@light")]
    perfect = [row("identity", f"p{n}@medium", "medium", math.inf) for n in range(2)]
    text = shown([*kept, *lost, *perfect], ["identity", "unet"])
    assert "(1 failed)" in text and "inf" in text


def test_a_method_that_lost_everything_is_still_in_the_table(shown: Any) -> None:
    lost = [row("unet", f"p{n}@light", "light", None, status="skipped", reason="no weights") for n in range(3)]
    text = shown([*(one for one in ROWS if one.method == "identity"), *lost], ["identity", "unet"])
    assert "0 (3 skipped)" in next(line for line in text.splitlines() if "unet" in line)


def test_a_narrow_terminal_keeps_each_row_on_one_line(shown: Any) -> None:
    text = shown(ROWS, ["identity", "unet"], width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert any("unet" in line and "32.10" in line and "+2.00" in line for line in text.splitlines())


def test_without_truth_there_is_no_table(shown: Any) -> None:
    lost = {"dataset": "real:x", "intensity_source": "estimated", "status": "skipped", "reason": NO_TRUTH}
    text = shown([row("identity", f"p{n}", "light", None, **lost) for n in range(2)], ["identity"])
    assert text.strip() == "real:x: no ground truth: pictures, and what needs no truth, are in the report"


def test_the_reasons_of_what_was_lost_are_told(shown: Any) -> None:
    failed = {"status": "failed", "reason": "RuntimeError: no\nway"}
    rows = [
        *ROWS,
        row("rescan", "p0@light", "light", None, **failed),
        row("rescan", "p0@light", "light", None, "ssim", **failed),
        row("rescan", "p1@light", "light", None, **failed),
        row("prenet", "p0@light", "light", None, status="skipped", reason="prenet has no weights"),
        row("unet", "p9@light", "light", None, metric="lpips", status="skipped", reason="too small"),
    ]
    text = shown(rows, ["identity", "unet", "rescan", "prenet"], width=80)
    assert "\nrescan: 2 failed: RuntimeError: no way\n" in text
    assert "\nprenet: 1 skipped: prenet has no weights\n" in text
    assert "too small" not in text, "unet has other scores"


def test_only_the_first_reasons_are_told(shown: Any) -> None:
    rows = [row("unet", f"p{n}", "light", None, status="failed", reason=f"reason {n}") for n in range(11)]
    text = shown(rows, ["unet"], width=80)
    assert text.count("unet: 1 failed: reason") == 8
    assert "and 3 more reasons; the report has them" in text


def test_metrics_that_were_not_asked_for_have_no_column(shown: Any) -> None:
    text = shown([one for one in ROWS if one.metric == "psnr"], ["identity", "unet"])
    assert "PSNR" in text and "SSIM" not in text and "LPIPS" not in text


def test_weights_of_several_classes_are_no_ranking(shown: Any) -> None:
    def about(own: str) -> dict[str, Any]:
        weights = {"identity": [], "unet": [{"class": "shipped"}], "prenet": [{"class": own}]}
        return {"methods": [{"name": name, "weights": each} for name, each in weights.items()]}

    words = " ".join(shown(ROWS, ["identity", "unet"], about=about("official")).split())
    assert "no ranking of methods together (shipped: unet; official: prenet)" in words
    assert "no ranking" not in shown(ROWS, ["identity", "unet"], about=about("shipped"))


def test_names_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console_module.console.print("real:x: and [b]", markup=False)
    assert capsys.readouterr().out == "real:x: and [b]\n"


def test_a_chain_says_what_its_last_stage_added_and_how_often_it_did_harm(shown: Any) -> None:
    gains = {0: 1.0, 1: 2.0, 2: -0.5}
    refined = [
        row("unet+diffusion", f"p{n}@light", "light", 32.0 + n / 10 + gain, scene=f"p{n}") for n, gain in gains.items()
    ]
    text = shown([*ROWS, *refined], ["identity", "unet", "unet+diffusion"])
    line = next(line for line in text.splitlines() if " over " in line)
    assert line.startswith("unet+diffusion over unet: PSNR +0.83 dB [-2.29, +3.96], worse on 1 of 3 pictures: ")
    assert "light +0.83 (1 of 3)" in " ".join(text.split())


def test_ceilings_are_told_and_why_one_is_not_known(shown: Any) -> None:
    ceiling = {"dataset": "synthetic:photos", "of": ["unet+x"], "method": "vae", "images_ok": 3, "reason": ""}
    about = {
        "ceilings": [
            {**ceiling, "scores": {"psnr[rgb]": {"mean": 26.5, "images": 3}}},
            {**ceiling, "of": ["y"], "images_ok": 0, "scores": {}, "reason": "the folder is not there"},
            {**ceiling, "of": ["z"], "scores": {"mse[rgb]": {"mean": 3.0, "images": 3}}},
        ]
    }
    words = " ".join(shown(ROWS, ["identity", "unet"], about=about).split())
    assert "ceiling of unet+x: vae alone gives 3 clear pictures back at PSNR 26.50 dB; a plain decode" in words
    assert "the ceiling of y could not be measured: the folder is not there" in words
    assert words.count("ceiling of") == 2
