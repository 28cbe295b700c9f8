from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivederain.data.image_names import LONGEST, image_names
from drivederain.data.scene_names import scene_names, without_intensity
from drivederain.errors import OptionError
from drivederain.results.run_folder import folder_name


def test_plain_names_stay():
    assert image_names(["kitti_000", "a@heavy", "night/0001"]) == {
        "kitti_000": "kitti_000",
        "a@heavy": "a@heavy",
        "night/0001": "night--0001",
    }


def test_names_that_differ_only_in_case_are_told_apart():
    names = image_names(["Road", "road", "other"])
    assert names["other"] == "other"
    assert names["Road"].startswith("Road-") and names["road"].startswith("road-")
    assert names["Road"].casefold() != names["road"].casefold()


@pytest.mark.parametrize(
    "stem", ["con", "AUX", "a b", "straße", "x" * 300, "..", "dot.", "..\\up", "a:b", "日本", "a\nb"]
)
def test_awkward_names_are_marked(stem):
    name = image_names([stem])[stem]
    assert name != stem and len(name) <= LONGEST and name[-9] == "-"
    assert folder_name(name) == name and not name.startswith(".")


@settings(max_examples=50, deadline=None)
@given(st.sets(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), max_size=20))
def test_names_are_safe_and_unique(stems):
    names = image_names(stems)
    assert all(folder_name(name) == name and len(name) <= LONGEST for name in names.values())
    assert len({name.casefold() for name in names.values()}) == len(stems)


def test_scenes():
    stems = ["seq1/0001", "seq1/0002@heavy", "top_01", "top_02@light"]
    assert list(scene_names(stems).values()) == ["seq1", "seq1", "top_01", "top_02"]
    assert list(scene_names(stems, "folder").values()) == ["seq1", "seq1", ".", "."]
    assert list(scene_names(stems, "stem").values()) == ["seq1/0001", "seq1/0002", "top_01", "top_02"]
    assert list(scene_names([*stems, "0001"], "prefix").values()) == ["seq1/", "seq1/", "top", "top", "0001"]
    assert without_intensity("a@heavy_1") == "a@heavy_1"
    with pytest.raises(OptionError, match="scene=sequence: choose one of auto, folder, stem, prefix"):
        scene_names(stems, "sequence")
