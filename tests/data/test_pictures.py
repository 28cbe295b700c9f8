from __future__ import annotations

import hashlib
import json
import pickle

import numpy as np
import pytest

from drivederain.data import drawn_rain
from drivederain.data.content import content_of, remembered_content
from drivederain.data.drawn_rain import RainDrawing, RainMask, RainPicture
from drivederain.data.drawn_scenes import ScenePicture
from drivederain.data.folders import list_pictures
from drivederain.data.found import find
from drivederain.data.pictures import FilePicture
from drivederain.errors import DataError
from drivederain.rain import draw_rain


def file_picture(path, size=None):
    return FilePicture(path, hashlib.sha256(path.read_bytes()).hexdigest(), size)


@pytest.fixture
def drawing(tmp_path, save):
    clear = file_picture(save(tmp_path / "a.png", 1, 48, 64))
    return RainDrawing(clear, seed=3, key="a", intensity="heavy", cache=tmp_path / "cache")


@pytest.fixture
def draws(monkeypatch):
    """One entry for each time rain is drawn."""
    made = []

    def counted(clear, **named):
        made.append(named["key"])
        return draw_rain(clear, **named)

    monkeypatch.setattr(drawn_rain, "draw_rain", counted)
    return made


def test_file_pictures(tmp_path, save, drawn):
    path = save(tmp_path / "a.png", 1)
    np.testing.assert_array_equal(file_picture(path).load(), drawn(1))
    assert file_picture(path, 12).load().shape == (12, 16, 3)
    assert file_picture(path).fingerprint != file_picture(path, 12).fingerprint
    other = save(tmp_path / "b" / "renamed.png", 1)
    assert file_picture(other).fingerprint == file_picture(path).fingerprint


def test_a_file_that_changes_is_refused(tmp_path, save):
    picture = file_picture(save(tmp_path / "a.png", 1))
    save(tmp_path / "a.png", 2)
    with pytest.raises(DataError, match=r"a\.png: it was changed while the run was going on"):
        picture.load()
    (tmp_path / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png: it cannot be read \(No such file"):
        picture.load()


def test_rain_is_what_the_generator_draws(drawing):
    expected = draw_rain(drawing.clear.load(), seed=3, key="a", intensity="heavy")
    for _ in range(2):
        np.testing.assert_array_equal(RainPicture(drawing).load(), expected.rainy)
        np.testing.assert_array_equal(RainMask(drawing).load(), np.rint(expected.soft * 255))
        assert drawing.parameters() == expected.parameters.as_dict()
    assert drawing.known().items() <= drawing.parameters().items()


def test_rain_is_drawn_once(drawing, draws):
    fingerprints = RainPicture(drawing).fingerprint, RainMask(drawing).fingerprint
    assert draws == [] and len(set(fingerprints)) == 2
    RainMask(drawing).load()
    RainPicture(pickle.loads(pickle.dumps(drawing))).load()
    drawing.parameters()
    assert draws == ["a"]


@pytest.mark.parametrize("file", ["rainy.png", "parameters.json"])
@pytest.mark.parametrize("damage", ["cut", "removed", "other"])
def test_damaged_entries_are_drawn_again(drawing, draws, file, damage):
    rainy = RainPicture(drawing).load()
    (path,) = (drawing.cache / "inputs").rglob(file)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "removed":
        path.unlink()
    else:
        path.write_bytes((drawing.cache.parent / "a.png").read_bytes() if file == "rainy.png" else b"[]")
    np.testing.assert_array_equal(RainPicture(drawing).load(), rainy)
    np.testing.assert_array_equal(RainPicture(drawing).load(), rainy)
    assert draws == ["a", "a"]
    json.loads((path.parent / "parameters.json").read_text())


def test_everything_that_decides_rain_decides_the_fingerprint(drawing, tmp_path, save, monkeypatch):
    cache = tmp_path / "cache"
    other = file_picture(save(tmp_path / "b.png", 2))
    prints = {
        drawing.fingerprint,
        RainDrawing(other, 3, "a", "heavy", cache).fingerprint,
        RainDrawing(drawing.clear, 4, "a", "heavy", cache).fingerprint,
        RainDrawing(drawing.clear, 3, "b", "heavy", cache).fingerprint,
        RainDrawing(drawing.clear, 3, "a", "light", cache).fingerprint,
    }
    assert RainDrawing(drawing.clear, 3, "a", "heavy", tmp_path).fingerprint in prints
    monkeypatch.setattr(drawn_rain, "GENERATOR_VERSION", "0.test")
    prints.add(RainDrawing(drawing.clear, 3, "a", "heavy", cache).fingerprint)
    assert len(prints) == 6


def test_scene_pictures(tmp_path):
    scene = ScenePicture(seed=0, index=3, height=72, width=128, cache=tmp_path)
    picture = scene.load()
    assert picture.shape == (72, 128, 3) and picture.std() > 5
    np.testing.assert_array_equal(scene.load(), picture)
    small = ScenePicture(seed=0, index=3, height=72, width=128, cache=tmp_path, size=36)
    assert small.load().shape == (36, 64, 3) and small.fingerprint != scene.fingerprint
    assert len(list(tmp_path.rglob("scene.png"))) == 1


def test_content_is_of_pixels_and_remembered(tmp_path, save, drawn):
    save(tmp_path / "photos" / "a.png", 1)
    save(tmp_path / "photos" / "b.bmp", 1)
    save(tmp_path / "photos" / "c.png", 2)
    entries, _ = list_pictures(tmp_path / "photos")
    found, problems = find(entries, tmp_path / "cache")
    assert problems == []
    assert found[0].content == found[1].content == content_of(drawn(1)) != found[2].content
    assert found[0].sha256 != found[1].sha256

    def never():
        raise AssertionError("decoded again")

    fingerprint = found[0].picture(None).fingerprint
    assert remembered_content(tmp_path / "cache", fingerprint, never) == found[0].content
    (entry,) = (tmp_path / "cache" / "contents").rglob(f"{fingerprint}.json")
    entry.write_text("{")
    assert remembered_content(tmp_path / "cache", fingerprint, lambda: drawn(1)) == found[0].content
    assert remembered_content(tmp_path / "cache", fingerprint, never) == found[0].content
