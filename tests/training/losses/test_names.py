"""Names, weights and crops of loss terms."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from drivederain.errors import OptionError
from drivederain.training.losses.names import DEFAULT, LEAST_CROP, TERMS, check_crop, check_weights


def test_imports_no_torch() -> None:
    code = "import sys, drivederain.training.losses.names; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_weights_come_as_floats_in_the_order_of_the_terms() -> None:
    checked = check_weights({"frequency": 1, "ssim": 0, "l1": 2})
    assert list(checked.items()) == [("l1", 2.0), ("ssim", 0.0), ("frequency", 1.0)]
    assert all(type(weight) is float for weight in checked.values())
    assert check_weights(DEFAULT) == {"l1": 1.0, "ssim": 0.2}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"l1": 1, "MS-SIM": 1}, r"no loss term is called 'MS-SIM'\. Did you mean 'ms_ssim'.*There are: l1, "),
        ({"l1": -0.1}, r"weight of the loss term l1 is -0\.1"),
        ({"l1": 1, "vgg": math.nan}, "loss term vgg is nan"),
        ({"edge": math.inf}, "loss term edge is inf"),
        ({"l1": 0, "vgg": 0.0}, "no loss term has a weight above 0"),
        ({}, "no loss term has a weight above 0"),
    ],
)
def test_nonsense_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_weights(weights)


def test_too_small_crops_are_refused_by_the_least_that_will_do() -> None:
    assert set(LEAST_CROP) <= set(TERMS)
    check_crop("ms_ssim", 161)
    check_crop("l1", 1)
    with pytest.raises(OptionError, match=r"ms_ssim needs crops of at least 161 x 161 pixels, and these .* 160:"):
        check_crop("ms_ssim", 160)
