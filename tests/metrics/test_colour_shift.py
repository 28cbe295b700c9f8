"""CIEDE2000 against the published pairs and scikit-image, and its means by region."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from drivederain.metrics.colour_shift import ColourShift, ciede2000, cielab

# Sharma, Wu and Dalal 2005, Table I.
PAIRS = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.49 -0.001 50 -2.49 0.0009 7.1792
50 2.49 -0.001 50 -2.49 0.0010 7.1792
50 2.49 -0.001 50 -2.49 0.0011 7.2195
50 2.49 -0.001 50 -2.49 0.0012 7.2195
50 -0.001 2.49 50 0.0009 -2.49 4.8045
50 -0.001 2.49 50 0.0010 -2.49 4.8045
50 -0.001 2.49 50 0.0011 -2.49 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


@pytest.mark.parametrize("line", PAIRS.split("\n")[1:-1])
def test_published_pairs(line: str) -> None:
    values = torch.tensor([float(value) for value in line.split()], dtype=torch.float64)
    assert float(ciede2000(values[:3], values[3:6])) == pytest.approx(float(values[6]), abs=5e-5)
    assert float(ciede2000(values[3:6], values[:3])) == pytest.approx(float(values[6]), abs=5e-5)


def test_pictures_agree_with_scikit_image() -> None:
    noise = np.random.Generator(np.random.PCG64(1))
    one, other = (noise.integers(0, 256, (40, 50, 3), np.uint8) for _ in range(2))
    theirs = deltaE_ciede2000(rgb2lab(one), rgb2lab(other))
    lab = cielab(torch.from_numpy(one).permute(2, 0, 1))
    assert np.abs(lab.permute(1, 2, 0).numpy() - rgb2lab(one)).max() < 0.02
    a, b = (torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in (one, other))
    assert float(ColourShift("ciede2000").score(a, b, None)["image"]) == pytest.approx(theirs.mean(), abs=5e-3)


def test_a_cast_is_seen_where_it_is() -> None:
    truth = torch.full((1, 3, 20, 20), 120, dtype=torch.uint8)
    output = truth.clone()
    output[:, 2, :, :10] += 20
    mask = torch.zeros(1, 1, 20, 20)
    mask[..., :10] = 1
    found = ColourShift("ciede2000").score(output, truth, mask)
    assert float(found["background"]) == 0
    assert float(found["drops"]) > 5
    assert float(found["image"]) == pytest.approx(float(found["drops"]) / 2)
    same = ColourShift("ciede2000").score(truth, truth, None)
    assert float(same["image"]) == 0
