"""The whole generator: determinism, masks, strata, sizes, errors, and the golden."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivederain.rain import (
    GENERATOR_VERSION,
    INTENSITIES,
    Intensity,
    RainError,
    RainResult,
    RainSettings,
    clear_image_sha256,
    draw_rain,
)

GOLDEN = Path(__file__).parent / "golden" / "gradient.png"
BARE = RainSettings(veil=False, streaks=False, film=False)


def street(width: int, height: int) -> NDArray[np.uint8]:
    """A drawn stand-in for a road photo: sky, road, and texture, without any random numbers."""
    row, column = np.mgrid[:height, :width].astype(np.float64)
    down, across = row / max(height - 1, 1), column / max(width - 1, 1)
    texture = 14 * np.sin(0.9 * column + 0.3 * row) * np.sin(0.5 * row)
    sky = np.stack([150 + 60 * down, 180 + 40 * down, 235 - 20 * across], -1)
    road = np.stack([90 - 30 * across, 88 - 20 * across, 86 + 10 * down], -1) + texture[..., None]
    return np.clip(np.where((down < 0.45)[..., None], sky, road), 0, 255).astype(np.uint8)


def digest(rain: RainResult) -> str:
    parts = (rain.rainy, rain.geometric, rain.soft, rain.streaks)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def golden_panels() -> NDArray[np.uint8]:
    """Three intensities, and drops on near glass behind a wide aperture, whose layer is worked out at half size."""
    clear = street(160, 96)
    panels = [draw_rain(clear, seed=11, key="golden", intensity=name).rainy for name in INTENSITIES]
    near = RainSettings(glass_distance_mm=40.0, aperture_mm=4.0)
    panels.append(draw_rain(clear, seed=11, key="golden", intensity="medium", settings=near).rainy)
    return np.vstack(panels)


def test_golden_within_one_level() -> None:
    kept = cv2.imread(str(GOLDEN), cv2.IMREAD_COLOR)
    assert kept is not None
    difference = np.abs(kept[..., ::-1].astype(int) - golden_panels())
    assert difference.max() <= 1


def test_same_bytes_in_another_process_with_other_threads() -> None:
    clear = street(400, 300)
    here = {name: digest(draw_rain(clear, seed=5, key="k", intensity=name)) for name in INTENSITIES}
    script = (
        "import json, sys, cv2; cv2.setNumThreads(int(sys.argv[1])); sys.path.insert(0, sys.argv[2])\n"
        "from test_draw import *\n"
        "clear = street(400, 300)\n"
        "print(json.dumps({n: digest(draw_rain(clear, seed=5, key='k', intensity=n)) for n in reversed(INTENSITIES)}))"
    )
    for threads in ("1", "3"):
        command = [sys.executable, "-c", script, threads, str(Path(__file__).parent)]
        paths = [path for path in sys.path if path]
        environment = os.environ | {"PYTHONHASHSEED": threads, "PYTHONPATH": os.pathsep.join(paths)}
        found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert json.loads(found.stdout) == here


def test_order_of_pictures_does_not_matter_and_every_name_gets_its_own_rain() -> None:
    clear = street(120, 90)
    forward = {key: digest(draw_rain(clear, seed=0, key=key, intensity="medium")) for key in ("a", "b", "c")}
    backward = {key: digest(draw_rain(clear, seed=0, key=key, intensity="medium")) for key in ("c", "b", "a")}
    assert forward == backward
    assert len(set(forward.values())) == 3
    assert digest(draw_rain(clear, seed=1, key="a", intensity="medium")) != forward["a"]


def test_memory_that_held_something_else_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clear = street(250, 190)
    near = RainSettings(glass_distance_mm=40.0, aperture_mm=4.0)  # the layer at part size
    found = [
        digest(draw_rain(clear, seed=6, key="a", intensity="heavy", settings=settings)) for settings in (None, near)
    ]
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float: np.full(shape, 77, dtype))
    again = [
        digest(draw_rain(clear, seed=6, key="a", intensity="heavy", settings=settings)) for settings in (None, near)
    ]
    assert again == found


def test_pictures_drawn_at_once_do_not_share_memory() -> None:
    clear = street(300, 200)
    names = [f"photo_{number}" for number in range(8)]

    def drawn(name: str) -> RainResult:
        return draw_rain(clear, seed=0, key=name, intensity="medium")

    one_by_one = [digest(drawn(name)) for name in names]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(drawn, names))  # all kept: a mask that were a view of reused memory would be lost
    assert [digest(result) for result in results] == one_by_one
    assert all(mask.base is None for result in results for mask in (result.rainy, result.geometric))


def test_the_clear_picture_is_left_alone_and_may_be_a_view() -> None:
    clear = street(90, 60)
    copy = clear.copy()
    clear.setflags(write=False)
    rain = draw_rain(clear, seed=0, key="a", intensity="heavy")
    assert np.array_equal(clear, copy)
    flipped = np.ascontiguousarray(clear[:, ::-1])[:, ::-1]
    assert digest(draw_rain(flipped, seed=0, key="a", intensity="heavy")) == digest(rain)


@pytest.mark.parametrize("size", [(96, 128), (300, 420)])
def test_nothing_changes_where_no_drop_is(size: tuple[int, int]) -> None:
    clear = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    rain = draw_rain(clear, seed=2, key="a", intensity="heavy", settings=BARE)
    dry = rain.soft == 0
    changed = (rain.rainy != clear).any(-1)
    assert 0.1 < dry.mean() < 0.9
    assert not changed[dry].any()
    assert changed[rain.soft > 0.1].mean() > 0.9


def test_masks_fit_each_other_and_the_record() -> None:
    rain = draw_rain(street(512, 384), seed=4, key="a", intensity="heavy")
    record = rain.parameters
    for mask in (rain.geometric, rain.soft, rain.streaks):
        assert mask.shape == (384, 512) and mask.dtype == np.float32
        assert mask.min() >= 0 and mask.max() <= 1
    # The aperture moves water around but keeps its amount, up to what crosses the edge of the picture.
    assert rain.soft.mean() == pytest.approx(rain.geometric.mean(), rel=0.03)
    assert record.coverage_geometric == pytest.approx((rain.geometric > 0.5).mean())
    assert record.coverage_soft_01 == pytest.approx((rain.soft > 0.1).mean())
    assert record.coverage_soft_025 == pytest.approx((rain.soft > 0.25).mean())
    assert record.coverage_soft_mean == pytest.approx(rain.soft.mean(), rel=1e-5)


def test_a_layer_at_part_size_lays_the_drops_where_the_full_one_does() -> None:
    clear = street(640, 360)
    near = RainSettings(glass_distance_mm=110.0, aperture_mm=2.2)  # blur of 5.5 px: half size
    rain = draw_rain(clear, seed=1, key="a", intensity="heavy", settings=near)
    reach = int(rain.parameters.defocus_radius_px)
    assert reach >= 5
    blurred = cv2.filter2D(rain.geometric, -1, disc_of(rain.parameters.defocus_radius_px))
    inner = np.s_[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    assert np.abs(blurred - rain.soft)[inner].mean() < 0.015
    assert np.abs(blurred - rain.soft)[inner].max() < 0.15


def disc_of(radius: float) -> NDArray[np.float32]:
    reach = int(np.ceil(radius))
    offset = np.arange(-reach, reach + 1)
    kernel = (offset[:, None] ** 2 + offset[None] ** 2 <= radius**2).astype(np.float32)
    return np.asarray(kernel / kernel.sum(), np.float32)


def test_intensities_have_the_coverage_and_the_damage_of_their_strata() -> None:
    clear = street(512, 512)
    coverage: dict[str, float] = {}
    error: dict[str, float] = {}
    for name in INTENSITIES:
        rains = [draw_rain(clear, seed=seed, key="stats", intensity=name) for seed in range(8)]
        coverage[name] = float(np.median([rain.parameters.coverage_geometric for rain in rains]))
        error[name] = float(np.median([np.square(rain.rainy.astype(float) - clear).mean() for rain in rains]))
        low, high = {"light": (0, 2), "medium": (2, 5), "heavy": (5, 10)}[name]
        assert all(low <= rain.parameters.run_count <= high for rain in rains)
    assert 0.023 < coverage["light"] < 0.043
    assert 0.064 < coverage["medium"] < 0.111
    assert 0.194 < coverage["heavy"] < 0.284
    assert error["light"] * 1.8 < error["medium"] and error["medium"] * 1.8 < error["heavy"]


def test_more_rain_time_or_speed_brings_more_drops() -> None:
    clear = street(200, 150)

    def count(settings: RainSettings) -> int:
        return draw_rain(clear, seed=0, key="a", intensity="medium", settings=settings).parameters.drop_count

    usual = count(RainSettings())
    assert count(RainSettings(seconds_since_wipe=0.0)) == 0
    assert count(RainSettings(seconds_since_wipe=10.0)) > 1.8 * usual
    assert count(RainSettings(speed_m_s=30.0)) > 1.3 * usual
    assert count(RainSettings(rain_rate_mm_h=20.0)) > 1.5 * usual


def test_the_record_is_complete_and_plain_json() -> None:
    clear = street(64, 48)
    record = draw_rain(clear, seed=9, key="photo", intensity="medium").parameters.as_dict()
    again = json.loads(json.dumps(record, allow_nan=False))
    assert again == record
    assert (record["seed"], record["key"], record["intensity"]) == (9, "photo", "medium")
    assert (record["width"], record["height"], record["generator_version"]) == (64, 48, GENERATOR_VERSION)
    assert (
        record["clear_sha256"] == hashlib.sha256(np.array([48, 64, 3], "<i8").tobytes() + clear.tobytes()).hexdigest()
    )
    bare = draw_rain(clear, seed=9, key="photo", intensity="medium", settings=BARE).parameters
    assert (bare.film, bare.extinction_per_km, bare.streak_angle_deg) == (0.0, 0.0, None)
    assert bare.rain_rate_mm_h == record["rain_rate_mm_h"]


def test_the_hash_tells_shapes_apart() -> None:
    flat = np.zeros((2, 8, 3), np.uint8)
    assert clear_image_sha256(flat) != clear_image_sha256(flat.reshape(4, 4, 3))


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (2, 3), (333, 17), (5, 900)])
def test_any_size_is_drawn(size: tuple[int, int]) -> None:
    clear = np.full((*size, 3), 120, np.uint8)
    for name in INTENSITIES:
        rain = draw_rain(clear, seed=3, key="tiny", intensity=name)
        assert rain.rainy.shape == clear.shape and rain.rainy.dtype == np.uint8
        assert rain.soft.shape == rain.geometric.shape == rain.streaks.shape == size
        assert np.isfinite(rain.soft).all()


def test_black_stays_black_and_white_stays_bright() -> None:
    black = draw_rain(np.zeros((90, 160, 3), np.uint8), seed=0, key="a", intensity="heavy")
    white = draw_rain(np.full((90, 160, 3), 255, np.uint8), seed=0, key="a", intensity="heavy")
    assert black.rainy.max() == 0
    assert white.rainy.mean() > 250 and white.rainy.min() > 150


@pytest.mark.parametrize(
    ("clear", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8"),
        (np.zeros((4, 4), np.uint8), "shape"),
        (np.zeros((4, 4, 4), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        ([[1, 2, 3]], "NumPy array"),
    ],
)
def test_unusable_photos_are_refused(clear: NDArray[np.uint8], words: str) -> None:
    with pytest.raises(RainError, match=words):
        draw_rain(clear, seed=0, key="a", intensity="light")


def test_unusable_words_are_refused() -> None:
    clear = street(8, 8)
    wrong: Intensity = "drizzle"  # type: ignore[assignment]
    with pytest.raises(RainError, match="light, medium, heavy"):
        draw_rain(clear, seed=0, key="a", intensity=wrong)
    with pytest.raises(RainError, match="key"):
        draw_rain(clear, seed=0, key=7, intensity="light")  # type: ignore[arg-type]
    with pytest.raises(RainError, match="seed"):
        draw_rain(clear, seed=-3, key="a", intensity="light")


def test_the_package_imports_nothing_heavy() -> None:
    script = "import sys, drivederain.rain; print(sorted({'torch', 'pandas', 'pydantic', 'scipy'} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert found.stdout.strip() == "[]"


if __name__ == "__main__":  # draws the golden anew after a change that is meant: python tests/rain/test_draw.py
    cv2.imwrite(str(GOLDEN), golden_panels()[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
