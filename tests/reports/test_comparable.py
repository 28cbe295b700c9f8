"""What may be compared: weights of one class with each other, and published scores with the same measured ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from drivederain_reports.page import render


def words_of(run: Any) -> str:
    text = render(run).read_text(encoding="utf-8")
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_weights_of_one_class_are_ranked_together(fake_run: Any, tmp_path: Path) -> None:
    words = words_of(fake_run(scenes=4, with_second=False, with_real=False, images=False, failing=()).build(tmp_path))
    assert "weights: shipped" not in words and "ranked apart" not in words


def test_classes_of_weights_are_ranked_apart(fake_run: Any, tmp_path: Path) -> None:
    run = fake_run(
        scenes=4, with_second=False, with_real=False, images=True, failing=(), classes={"restormer": "official"}
    ).build(tmp_path)
    words = words_of(run)
    assert "several classes" in words and "they are ranked apart" in words
    verdict = words[words.index("ranked apart") : words.index("Amounts are means")]
    shipped, official = verdict.split("weights: official")
    assert "weights: shipped" in shipped and "restormer" not in shipped
    assert "restormer" in official and "unet" not in official
    # The pictures of all methods are shown once.
    assert run.report_html.read_text(encoding="utf-8").count('class="group gallery') == 1


def test_published_scores_stand_beside_measured_ones(fake_run: Any, tmp_path: Path) -> None:
    run = fake_run(scenes=4, with_second=False, with_real=False, images=False, failing=()).build(tmp_path)
    assert "Published beside measured" not in words_of(run)
    record = json.loads(run.run_json.read_text())
    for method in record["methods"]:
        if method["name"] == "restormer":
            method["published"] = [
                {
                    "dataset": "synthetic:photos",
                    "metric": "psnr_y[mprnet]",
                    "value": 31.5,
                    "source": "<b>its paper</b>",
                },
                {"dataset": "Rain100L", "metric": "psnr_y[mprnet]", "value": 38.99, "source": "its paper"},
            ]
    run.run_json.write_text(json.dumps(record))
    words = words_of(run)
    section = words[words.index("What papers report for the same test set") :]
    assert "31.50" in section and "&lt;b&gt;its paper&lt;/b&gt;" in section and "38.99" not in section
