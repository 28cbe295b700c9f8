"""Reference scores of drawn pictures, computed by golden/make_golden.py with other implementations."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from drivederain.metrics.metric import Metric

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = {"psnr": 1e-5, "psnr_y": 1e-5, "mse": 1e-5, "ssim": 1e-5, "ssim_y": 1e-5, "lpips": 5e-4}
SCORES = [tuple(row) for row in csv.reader((GOLDEN / "scores.csv").read_text().splitlines()[1:])]


@pytest.mark.parametrize(("metric", "variant"), sorted({(row[1], row[2]) for row in SCORES}))
def test_drawn_pictures_score_as_the_reference(
    metric: str, variant: str, metric_of: Callable[[str, str], Metric], load_picture: Callable[[Path], Tensor]
) -> None:
    pairs = sorted({row[0] for row in SCORES})
    assert len(pairs) == 5
    largest = 0.0
    for pair in pairs:
        mask = torch.from_numpy(np.array(Image.open(GOLDEN / f"{pair}_mask.png")) / np.float32(255))[None, None]
        scores = metric_of(metric, variant).score(
            load_picture(GOLDEN / f"{pair}_output.png"), load_picture(GOLDEN / f"{pair}_truth.png"), mask
        )
        expected = {row[3]: float(row[4]) for row in SCORES if row[:3] == (pair, metric, variant)}
        found = {region: value.item() for region, value in scores.items() if not value.isnan().any()}
        assert found == pytest.approx(expected, abs=TOLERANCE[metric]), pair
        largest = max(largest, *(abs(found[region] - expected[region]) for region in expected))
    print(f"\n{metric}[{variant}] largest difference {largest:.1e} (allowed {TOLERANCE[metric]:g})")
