"""The model card of shipped weights for readers."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CARD: dict[str, Any] = {
    "method": "diffusion",
    "architecture": {"channels": [8, 16], "layers": 1},
    "parameters": 43_812,
    "sha256": "ab" * 32,
    "licence": "Apache-2.0",
    "trained_on": "2 redistributable road photographs (lund BSD-2-Clause), drawn rain",
    "scenes": {"count": 0, "seed": 7919, "version": 1},
    "rain_generator": "1.0",
    "behind": "unet",
    "behind_sha256": "cd" * 32,
    "steps": 900,
    "budget": "24 minutes + 45 minutes",
    "device": "CPU",
    "torch": "2.15.0",
    "training": {
        "batch_size": 8, "crop": 160, "precision": "bf16", "seed": 1, "hyperparameters": {"learning_rate": 0.001},
    },
    "resumed_from": {"sha256": "ef" * 32, "steps": 400, "budget": "24 minutes"},
    "data": [{"group": "lund", "source": "mapillary/OpenSfM", "licence": "BSD-2-Clause", "photographs": 2}],
    "training_pictures": ["12" * 32],
}  # fmt: skip
SCORES = {
    "kitti": {
        "photographs": 3,
        "protocol": "shorter side 512, seed 0",
        "intensities": {
            "light": {
                "rainy": {"psnr[rgb]": 20.0, "ssim[rgb]": 0.5, "lpips[alex]": 0.25},
                "restored": {"psnr[rgb]": 25.125, "ssim[rgb]": 0.75, "lpips[alex]": 0.125},
            }
        },
    }
}


@pytest.fixture(scope="module")
def model_card(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("model_card", repository / "benchmarks" / "model_card.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_card_says_what_a_reader_must_know(model_card: ModuleType) -> None:
    text = model_card.as_markdown(CARD)
    for needed in (
        "# diffusion: shipped weights", "43,812", "ab" * 32, "Apache-2.0", "lund BSD-2-Clause", "900 steps",
        "24 minutes + 45 minutes", f"unet `{'cd' * 32}`", f"`{'ef' * 32}` (400 steps", "channels 8-16",
        "8 crops of 160 pixels, seed 1", "| lund | mapillary/OpenSfM | BSD-2-Clause | 2 |", "None yet",
    ):  # fmt: skip
        assert needed in text, needed
    assert "12" * 32 not in text, "hashes of pictures are in the JSON"
    assert "Drawn scenes" not in text and "Fitted" not in text and "Which were made by" not in text


def test_what_was_fitted_and_how_the_weights_before_were_made(model_card: ModuleType) -> None:
    fitted = {"options": {"blend": 0.75}, "pictures": 30}
    resumed = CARD["resumed_from"] | {"command": "drivederain-bench train unet --steps 400"}
    text = model_card.as_markdown(CARD | {"fitted": fitted, "resumed_from": resumed})
    assert "| Fitted at the end | blend 0.75, on 30 validation pictures |" in text
    assert "| Which were made by | `drivederain-bench train unet --steps 400` |" in text


def test_scores_are_a_table(model_card: ModuleType) -> None:
    text = model_card.as_markdown(CARD | {"scores": SCORES})
    assert "| kitti | light | 3 | 20.00 | 25.12 | 0.5000 | 0.7500 | 0.2500 | 0.1250 |" in text
    assert "- kitti: shorter side 512, seed 0" in text
    head, rule, row = (
        line for line in text.splitlines() if line.startswith(("| Photographs |", "|---|---|---|---|---", "| kitti"))
    )
    assert head.count("|") == rule.count("|") == row.count("|") == 10


def test_what_the_weights_replace_is_beside_them(model_card: ModuleType) -> None:
    light = SCORES["kitti"]["intensities"]["light"]
    earlier = {"psnr[rgb]": 24.0, "ssim[rgb]": 0.625, "lpips[alex]": 0.1875}
    scores = {
        "kitti": SCORES["kitti"] | {"intensities": {"light": light | {"earlier": earlier}}},
        "other": SCORES["kitti"],
    }
    text = model_card.as_markdown(CARD | {"scores": scores, "earlier_sha256": "0a" * 32})
    assert "PSNR, dB: rainy | earlier | restored" in text and f"`{'0a' * 32}`, scored below as earlier" in text
    assert "| kitti | light | 3 | 20.00 | 24.00 | 25.12 | 0.5000 | 0.6250 | 0.7500 | 0.2500 | 0.1875 | 0.1250 |" in text
    assert "| other | light | 3 | 20.00 | - | 25.12 |" in text


def test_card_is_written_beside_the_weights(model_card: ModuleType, tmp_path: Path) -> None:
    weights = tmp_path / "diffusion.safetensors"
    model_card.write_card(weights, CARD)
    assert model_card.read_card(weights) == json.loads(json.dumps(CARD))
    assert (tmp_path / "diffusion.md").read_text(encoding="utf-8") == model_card.as_markdown(CARD)
