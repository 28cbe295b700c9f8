from __future__ import annotations

import os
import unicodedata

import pytest

from drivederain.data.folders import checked_folder, list_pictures
from drivederain.errors import DataError


def test_all_suffixes_in_any_case_and_subfolders_but_nothing_hidden(tmp_path, save):
    for name in ("a.png", "b.JPG", "c.jpeg", "d.webp", "e.bmp", "f.tif", "g.TIFF", "night/a.png"):
        save(tmp_path / name)
    save(tmp_path / ".hidden.png")
    save(tmp_path / "._a.png")
    save(tmp_path / ".git" / "x.png")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("x")
    entries, problems = list_pictures(tmp_path)
    assert [entry.stem for entry in entries] == ["a", "b", "c", "d", "e", "f", "g", "night/a"]
    assert entries[-1].relative == "night/a.png"
    assert problems == []


def test_names_are_normalised(tmp_path, save):
    save(tmp_path / (unicodedata.normalize("NFD", "straße_é") + ".png"))
    (entry,), _ = list_pictures(tmp_path)
    assert entry.stem == unicodedata.normalize("NFC", "straße_é")
    assert entry.path.is_file()


def test_the_same_stem_twice_is_a_problem(tmp_path, save):
    save(tmp_path / "a.jpg")
    save(tmp_path / "a.png")
    entries, (problem,) = list_pictures(tmp_path, "rainy/")
    assert [entry.relative for entry in entries] == ["a.jpg"]
    assert problem.file == "rainy/a.png" and "rainy/a.jpg" in problem.reason


def test_undecodable_names_are_a_problem(tmp_path, save):
    good = save(tmp_path / "a.png")
    try:
        (tmp_path / os.fsdecode(b"b\xff.png")).write_bytes(good.read_bytes())
    except OSError:
        pytest.skip("this file system takes no such names")
    entries, (problem,) = list_pictures(tmp_path)
    assert [entry.stem for entry in entries] == ["a"]
    assert "not valid text" in problem.reason
    problem.file.encode("utf-8")


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path, save):
    save(tmp_path / "elsewhere" / "x.png")
    photos = tmp_path / "photos"
    photos.mkdir()
    try:
        (photos / "link.png").symlink_to(tmp_path / "elsewhere" / "x.png")
        (photos / "loop").symlink_to(photos, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    entries, _ = list_pictures(photos)
    assert [entry.stem for entry in entries] == ["link"]


def test_empty_folders(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"holds no picture \(.*\.png"):
        list_pictures(tmp_path)


def test_folders_that_are_none(tmp_path, save, monkeypatch):
    file = save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png is a file, a folder of pictures is needed: --data real:PHOTOS"):
        checked_folder(str(file), "--data real:PHOTOS")
    with pytest.raises(DataError, match="nowhere does not exist"):
        checked_folder(str(tmp_path / "nowhere"), "--data real:PHOTOS")
    with pytest.raises(DataError, match="no folder given: write --data real:PHOTOS"):
        checked_folder(" ", "--data real:PHOTOS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert checked_folder("~", "x") == tmp_path


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every folder")
def test_folders_without_permission(tmp_path, save):
    save(tmp_path / "closed" / "a.png")
    (tmp_path / "closed").chmod(0)
    try:
        with pytest.raises(DataError, match=r"closed cannot be read .* permissions"):
            list_pictures(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o755)
