"""``rain13k:ROOT``: the layouts that the test sets of deraining papers are passed on in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivederain import open_data
from drivederain.data.deraining_sets import SIZES, clear_names, find_sets
from drivederain.data.rain13k import Rain13K
from drivederain.data.sample import DataContext
from drivederain.errors import DataError

Write = Callable[..., None]


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        seed = sum(map(ord, f"{folder.name}{name}"))
        pixels = np.random.default_rng(seed).integers(0, 255, (40, 48, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), pixels)


@pytest.mark.parametrize(
    ("stem", "clear"),
    [
        ("1", ("1",)),
        ("rain-001", ("norain-001",)),
        ("rainy/rain-001", ("rainy/norain-001", "norain-001")),
        ("norain-1x2", ("norain-1x2", "norain-1")),
        ("X2/norain-1x2", ("X2/norain-1x2", "X2/norain-1", "norain-1")),
        ("901_12", ("901_12", "901")),
    ],
)
def test_the_names_of_clear_pictures(stem: str, clear: tuple[str, ...]) -> None:
    assert clear_names(stem) == clear


def test_every_layout_is_found(tmp_path: Path) -> None:
    write(tmp_path / "test" / "Test100" / "input", "1.png", "2.png")
    write(tmp_path / "test" / "Test100" / "target", "1.png", "2.png")
    write(tmp_path / "Rain100H", "rain-001.png", "norain-001.png", "rain-002.png", "norain-002.png")
    write(tmp_path / "Rain200L" / "test" / "rain", "norain-1x2.png")
    write(tmp_path / "Rain200L" / "test" / "norain", "norain-1.png")
    write(tmp_path / "Test2800" / "rainy_image", "901_1.jpg", "901_2.jpg")
    write(tmp_path / "Test2800" / "ground_truth", "901.jpg")
    write(tmp_path / "Rain200H_test20" / "rainy", "001.png")
    write(tmp_path / "Rain200H_test20" / "clean", "001.jpg")
    (tmp_path / "Test1200").mkdir()
    found, left = find_sets(tmp_path)
    assert [each.name for each in found] == ["Test100", "Rain100H", "Test2800", "Rain200H", "Rain200L"]
    assert left == [tmp_path / "Test1200"]
    assert [each.name for each in find_sets(tmp_path / "Rain100H")[0]] == ["Rain100H"]
    context = DataContext(cache=tmp_path / "cache")
    sets = {each.name: each for each in Rain13K(str(tmp_path), context).sample_sets("all")}
    assert [problem.file for problem in context.problems] == [str(tmp_path / "Test1200")]
    assert {name: len(each.samples) for name, each in sets.items()} == {
        "Test100": 2, "Rain100H": 2, "Test2800": 2, "Rain200H": 1, "Rain200L": 1,
    }  # fmt: skip
    assert {sample.scene for sample in sets["Test2800"].samples} == {"901"}
    assert [sample.image for sample in sets["Rain100H"].samples] == ["rain-001", "rain-002"]
    assert sets["Test100"].description == "2 pairs, not all of the 98 that papers score."
    for sample in (sample for each in sets.values() for sample in each.samples):
        assert sample.clear is not None and sample.rainy.load().shape == (40, 48, 3)
        assert sample.dataset in SIZES


def test_nothing_of_it_is_for_training(tmp_path: Path) -> None:
    write(tmp_path / "Rain100L" / "input", "1.png")
    write(tmp_path / "Rain100L" / "target", "1.png")
    data = Rain13K(str(tmp_path), DataContext(cache=tmp_path / "cache"))
    assert data.sample_sets("train") == data.sample_sets("val") == []
    assert len(data.sample_sets("test")) == 1


def test_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match=r"holds none of Test100, .*folders there: photos/\)"):
        open_data(f"rain13k:{tmp_path}")


def test_a_missing_partner_is_named(tmp_path: Path) -> None:
    write(tmp_path / "Rain100L", "rain-1.png", "norain-1.png", "rain-2.png")
    with pytest.raises(DataError, match=r"rain-2\.png: it has no clear partner"):
        open_data(f"rain13k:{tmp_path}")


def test_a_bad_file_is_one_problem_where_both_lie_together(tmp_path: Path) -> None:
    folder = tmp_path / "Rain100L"
    write(folder, "rain-1.png", "norain-1.png", "rain-2.png", "norain-2.png", "rain-3.png", "norain-3.png")
    (folder / "rain-1.png").write_bytes(b"x")
    (folder / "norain-2.png").write_bytes(b"x")
    context = DataContext(cache=tmp_path / "cache", skip_bad=True)
    [found] = Rain13K(str(tmp_path), context).sample_sets("test")
    assert [sample.image for sample in found.samples] == ["rain-3"]
    assert sorted(problem.file for problem in context.problems) == ["Rain100L/norain-2.png", "Rain100L/rain-1.png"]


def test_layouts_of_the_authors_with_a_folder_for_one_half(tmp_path: Path) -> None:
    write(tmp_path / "Rain100H", "norain-001.png", "norain-002.png")
    write(tmp_path / "Rain100H" / "rainy", "rain-001.png", "rain-002.png")
    write(tmp_path / "Rain200H" / "rain" / "X2", "norain-1x2.png")
    write(tmp_path / "Rain200H" / "norain", "norain-1.png")
    context = DataContext(cache=tmp_path / "cache")
    sets = {each.name: each.samples for each in Rain13K(str(tmp_path), context).sample_sets("test")}
    assert [sample.image for sample in sets["Rain100H"]] == ["rainy--rain-001", "rainy--rain-002"]
    assert [sample.image for sample in sets["Rain200H"]] == ["X2--norain-1x2"]
    assert context.problems == []
