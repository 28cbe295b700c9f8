from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from drivederain_reports.pictures import PreviewSize, jpeg, mask_overlay, read_picture


def decode(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_previews_are_scaled_down_but_never_up() -> None:
    picture = np.full((200, 1200, 3), (30, 90, 200), np.uint8)
    small = decode(jpeg(picture, PreviewSize(600, 90)))
    assert small.shape == (100, 600, 3)
    assert np.abs(small.astype(int) - (30, 90, 200)).max() <= 3
    assert decode(jpeg(picture[:, :300], PreviewSize(600, 90))).shape == (200, 300, 3)


def test_overlay_tints_what_the_drops_region_counts() -> None:
    mask = np.zeros((20, 40), np.uint8)
    mask[5:15, 10:30] = 255
    mask[:, 35:] = 25  # 25/255 is below the threshold of 0.1, 26/255 above it
    mask[:, 0] = 26
    alpha = decode(mask_overlay(mask, PreviewSize(960, 88)))[..., 3]
    assert alpha[10, 20] == 70
    assert alpha[5, 20] == 235
    assert alpha[10, 38] == 0
    assert alpha[10, 0] > 0


def test_missing_and_damaged_files_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    assert [read_picture(tmp_path / name) for name in ("empty.png", "text.png", "none.png")] == [None, None, None]
