"""What stands beside a method about its weights."""

from __future__ import annotations

import pytest

from drivederain_reports.run_about import MethodAbout
from drivederain_reports.weights_words import weights_words


def stage(
    name: str, budget: str = "", trained_on: str = "synthetic:train", kind: str = "trained here"
) -> dict[str, str]:
    return {"stage": name, "class": kind, "budget": budget, "trained_on": trained_on}


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([], ""),
        ([stage("unet", kind="shipped")], "shipped"),
        ([stage("unet", "1 minute")], "trained here (1 minute on synthetic:train)"),
        ([stage("unet", "600 steps", "")], "trained here (600 steps)"),
        (
            [stage("unet", "20 minutes"), stage("diffusion", "7.5 minutes")],
            (
                "trained here (20 minutes on synthetic:train) + trained here (7.5 minutes on synthetic:train); "
                "together 27.5 minutes"
            ),
        ),
        (
            [stage("unet", "20 minutes") | {"hardware": "EPYC, 2 threads"}],
            "trained here (20 minutes on synthetic:train; EPYC, 2 threads)",
        ),
        (
            [stage("unet", "0.5 minutes", "")] * 2,
            "trained here (0.5 minutes) + trained here (0.5 minutes); together 1 minute",
        ),
        # Minutes and steps have no sum, nor have those that may end either way.
        (
            [stage("unet", "20 minutes", ""), stage("diffusion", "9 steps", "")],
            "trained here (20 minutes) + trained here (9 steps)",
        ),
        ([stage("unet", "9 steps or 1 minute", "")] * 2, " + ".join(["trained here (9 steps or 1 minute)"] * 2)),
        ([stage("unet", kind="shipped"), stage("diffusion", "9 steps", "")], "shipped + trained here (9 steps)"),
    ],
)
def test_words(stages: list[dict[str, str]], words: str) -> None:
    about = {"name": "m", "stages": [], "status": "ok", "images_ok": 1, "images": 1, "weights": stages}
    assert weights_words(MethodAbout.model_validate(about)) == words
