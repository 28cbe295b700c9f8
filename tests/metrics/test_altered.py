"""What was altered, and where."""

from __future__ import annotations

import pytest
import torch

from drivederain.metrics.altered import Altered


def test_pixels_that_are_off_by_more_than_16_in_one_channel_are_counted_by_region() -> None:
    truth = torch.full((2, 3, 10, 20), 100, dtype=torch.uint8)
    output = truth.clone()
    output[0, 1, 0, :4] = 117  # one channel, above
    output[0, 2, 1, :4] = 83  # below
    output[0, :, 2, :] = 116  # 16 is not more than 16
    output[0, 0, 9, :10] = 0
    mask = torch.zeros(2, 1, 10, 20)
    mask[:, :, 9] = 0.2
    scores = Altered("16").score(output, truth, mask)
    assert {region: value.tolist() for region, value in scores.items()} == {
        "image": [pytest.approx(100 * 18 / 200), 0.0],
        "drops": [pytest.approx(50.0), 0.0],
        "background": [pytest.approx(100 * 8 / 180), 0.0],
    }


def test_the_whole_range_counts_without_overflow() -> None:
    truth = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    assert Altered("16").score(truth + 255, truth, None)["image"].tolist() == [100.0]
    assert Altered("16").score(truth, truth + 255, None)["image"].tolist() == [100.0]


def test_what_is_painted_outside_the_drops_shows_in_the_background_alone() -> None:
    truth = torch.full((1, 3, 32, 32), 90, dtype=torch.uint8)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., :8, :] = 1
    rainy, invented = truth.clone(), truth.clone()
    rainy[..., :8, :] = 200
    invented[..., 20:28, 4:12] = 30
    scores = {name: Altered("16").score(picture, truth, mask) for name, picture in (("r", rainy), ("i", invented))}
    assert [float(scores["r"][region]) for region in ("drops", "background")] == [100.0, 0.0]
    assert float(scores["i"]["drops"]) == 0 and float(scores["i"]["background"]) == pytest.approx(100 * 64 / 768)
