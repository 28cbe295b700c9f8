from __future__ import annotations

import cv2
import numpy as np
import pytest

from drivederain.data.resize import effective_size, resize_shorter, size_label


@pytest.mark.parametrize(("height", "width", "expected"), [(24, 32, (12, 16)), (32, 24, (16, 12)), (25, 37, (12, 18))])
def test_the_shorter_side_becomes_the_size(drawn, height, width, expected):
    assert resize_shorter(drawn(1, height, width), 12).shape == (*expected, 3)


def test_interpolation_is_by_area(drawn):
    picture = drawn(4, 24, 32)
    expected = cv2.resize(picture, (16, 12), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(resize_shorter(picture, 12), expected)
    halves = picture.reshape(12, 2, 16, 2, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(resize_shorter(picture, 12) - halves).max() <= 0.5


def test_pictures_are_never_enlarged(drawn):
    picture = drawn(1, 24, 32)
    for size in (None, 24, 25, 1000):
        assert resize_shorter(picture, size) is picture
        assert size_label(effective_size(24, 32, size)) == "native"
    assert size_label(effective_size(24, 32, 23)) == "23"


def test_masks_and_strips(drawn):
    assert resize_shorter(drawn(1, 24, 32)[..., 0], 6).shape == (6, 8)
    assert resize_shorter(drawn(1, 4, 900), 1).shape == (1, 225, 3)
