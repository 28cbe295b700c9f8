from __future__ import annotations

import numpy as np
import pytest
import torch

from drivederain.data.strata import photo_intensity
from drivederain.errors import MetricError
from drivederain.metrics.visible_drops import VisibleDrops


def test_it_is_the_estimator_of_the_intensity() -> None:
    pictures = np.random.Generator(np.random.PCG64(2)).integers(0, 256, (2, 90, 120, 3), np.uint8)
    batch = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
    found = VisibleDrops("estimated").score_output(batch, None)["image"]
    expected = [100 * photo_intensity(picture).evidence["coverage"] for picture in pictures]
    assert found.tolist() == pytest.approx(expected)
    assert VisibleDrops("estimated").score(batch, torch.zeros_like(batch), None)["image"].tolist() == found.tolist()


def test_other_types_are_refused() -> None:
    with pytest.raises(MetricError, match="uint8"):
        VisibleDrops("estimated").score_output(torch.zeros(1, 3, 40, 40), None)
