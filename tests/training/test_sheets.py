"""Contact sheets: where the pictures are, and what becomes of words."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drivederain.training.sheets import error_map, sheet

GAP, LINE = 6, 22


def picture(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def cell(page: np.ndarray, row: int, left: int, width: int, height: int) -> np.ndarray:
    top = GAP + LINE + row * (LINE + height + GAP) + LINE
    return page[top : top + height, left : left + width]


def test_pictures_stand_in_columns_at_one_height_scaled_by_area() -> None:
    exact, large, mask = picture(0, 50, 90), picture(1, 150, 360), picture(2, 50, 60)[..., 0]
    page = sheet([("first", [exact, mask]), ("second", [large])], ["rainy", "drops"], height=50)
    assert page.dtype == np.uint8
    assert page.shape == (GAP + LINE + 2 * (LINE + 50 + GAP), GAP + 120 + GAP + 60 + GAP, 3)
    np.testing.assert_array_equal(cell(page, 0, GAP, 90, 50), exact)
    assert (cell(page, 0, GAP + 90, 30, 50) == 255).all(), "a narrower picture is left of its column"
    np.testing.assert_array_equal(cell(page, 0, 2 * GAP + 120, 60, 50), np.repeat(mask[..., None], 3, axis=2))
    scaled = cv2.resize(large, (120, 50), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(cell(page, 1, GAP, 120, 50), scaled)


def test_a_place_without_a_picture_is_grey_wherever_it_is() -> None:
    own = picture(0, 40, 40)
    page = sheet([("a", [own, own]), ("b", [None, own]), ("c", [own])], ["x", "y"], height=40)
    empty = cell(page, 1, GAP, 40, 40)
    assert len(np.unique(empty.reshape(-1, 3), axis=0)) == 1 and 200 < empty.min() < 255
    np.testing.assert_array_equal(cell(page, 1, 2 * GAP + 40, 40, 40), own)
    np.testing.assert_array_equal(cell(page, 2, 2 * GAP + 40, 40, 40), empty)


def test_labels_and_titles_are_written() -> None:
    own = picture(0, 40, 200)
    page = sheet([("kitti_003@heavy", [own])], ["rainy"], height=40)
    assert page[GAP : GAP + LINE].min() < 100 and page[GAP + LINE : GAP + 2 * LINE].min() < 150
    assert (page != sheet([("kitti_004@heavy", [own])], ["rainy"], height=40)).any()
    assert (page != sheet([("kitti_003@heavy", [own])], ["clear"], height=40)).any()


def test_words_of_a_wide_page_are_as_large_as_those_of_a_narrow_one_when_both_are_seen_whole() -> None:
    narrow, wide = sheet([("a", [picture(0, 40, 600)])], ["rainy"]), sheet([("a", [picture(0, 40, 2080)])], ["rainy"])
    shares = []
    for page, height in ((narrow, 200), (wide, 200)):
        words = page.shape[0] - height - 2 * GAP
        ink = np.flatnonzero((page[GAP : GAP + words // 2] < 128).any(axis=(0, 2)))
        shares.append((int(ink.max()) - GAP) / max(page.shape[1], 1700))
    assert wide.shape[1] > 5 * 1700 and 0.8 < shares[1] / shares[0] < 1.25


def test_characters_that_the_font_lacks_are_written_as_their_code() -> None:
    own = picture(0, 40, 200)
    for letter, code in (("雨", r"\u96e8"), ("\x07", r"\x07"), ("😀", r"\U0001f600")):
        shown = sheet([(f"a{letter}b", [own])], [f"c{letter}"], height=40)
        np.testing.assert_array_equal(shown, sheet([(f"a{code}b", [own])], [f"c{code}"], height=40))


def test_long_words_lose_their_middle_and_stay_inside() -> None:
    own = picture(0, 40, 200)
    page = sheet([("begin" + "x" * 500 + "end", [own])], ["t" * 500], height=40)
    assert page.shape == sheet([("", [own])], [""], height=40).shape
    assert (page[:, -GAP:] == 255).all()
    assert (page != sheet([("begin" + "x" * 500 + "eye", [own])], ["t" * 500], height=40)).any(), "the end is kept"


def test_rows_must_fit_the_columns() -> None:
    own = picture(0, 8, 8)
    with pytest.raises(ValueError, match="'b' has more pictures than the 1 columns"):
        sheet([("a", [own]), ("b", [own, own])], ["x"])
    with pytest.raises(ValueError, match="needs a column"):
        sheet([], [])
    assert sheet([], ["x"]).shape[0] == GAP + LINE


def test_an_error_map_is_four_times_the_difference_of_each_colour() -> None:
    restored = np.array([[[10, 20, 30], [255, 0, 100]]], np.uint8)
    clear = np.array([[[12, 10, 30], [0, 255, 37]]], np.uint8)
    np.testing.assert_array_equal(error_map(restored, clear), [[[8, 40, 0], [255, 255, 252]]])
    with pytest.raises(ValueError, match=r"\(1, 2, 3\)"):
        error_map(restored, clear[:, :1])
