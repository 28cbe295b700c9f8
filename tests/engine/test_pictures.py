from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from drivederain.data.decode import UnusablePicture
from drivederain.data.png import encode_png
from drivederain.data.sample import Sample
from drivederain.engine.pictures import NotStored, RunPictures
from drivederain.results.run_folder import RunFolder
from drivederain.results.thumbnails import MOST_TILES, TALLEST, WIDTH, strip_of, strip_size


@dataclass
class Drawn:
    """A picture of one colour that counts how often it is asked for."""

    fingerprint: str
    value: int = 0
    loaded: int = 0
    readable: bool = True

    def load(self) -> np.ndarray:
        self.loaded += 1
        if not self.readable:
            raise UnusablePicture(f"{self.fingerprint}.jpg", "it cannot be decoded (truncated)")
        return np.full((6, 8, 3), self.value, np.uint8)


@dataclass
class FakeCell:
    """Outputs that lie in a folder as in the cache."""

    folder: Path
    outputs: dict[str, Any] = field(default_factory=dict)

    def add(self, picture: str, value: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path(picture).unlink(missing_ok=True)
        data = encode_png(np.full((6, 8, 3), value, np.uint8))
        self.path(picture).write_bytes(data)
        self.outputs[picture] = SimpleNamespace(sha256=hashlib.sha256(data).hexdigest())

    def path(self, picture: str) -> Path:
        return self.folder / f"{picture}.png"


class Set:
    """Photos at two intensities with a truth, the outputs of two methods, and the run's folder."""

    def __init__(self, path: Path, photos: int = 3, dataset: str = "pairs:p") -> None:
        self.run = RunFolder(path / "run")
        self.pictures: dict[str, Drawn] = {}
        self.cells = {name: FakeCell(path / "cells" / name) for name in ("identity", "unet+x")}
        self.samples = []
        for photo in range(photos):
            clear = self._drawn(f"clear{photo}", 130 + photo)
            for number, intensity in enumerate(("heavy", "light")):
                rainy = self._drawn(f"rainy{photo}{intensity}", 2 * photo + number)
                for cell in self.cells.values():
                    cell.add(rainy.fingerprint, rainy.value)
                self.samples.append(self._sample(dataset, f"p{photo}@{intensity}", rainy, clear))

    def _drawn(self, name: str, value: int) -> Drawn:
        self.pictures[name] = Drawn(name, value)
        return self.pictures[name]

    def _sample(self, dataset: str, image: str, rainy: Drawn, clear: Drawn) -> Sample:
        return Sample(dataset, "all", image, image[:2], rainy, clear, None, "light", "recorded")

    def store(self, **more: Any) -> NotStored:
        return RunPictures(self.run).store(self.samples[::-1], self.cells, **more)

    @property
    def loaded(self) -> int:
        return sum(picture.loaded for picture in self.pictures.values())

    def files(self) -> dict[str, int]:
        """First value of each picture in ``images/``."""
        images = self.run.path / "images"
        return {
            path.relative_to(images).as_posix(): int(cv2.imread(str(path))[0, 0, 0]) for path in images.rglob("*.png")
        }


@pytest.fixture
def stored(tmp_path: Path) -> Set:
    made = Set(tmp_path)
    assert made.store() == NotStored()
    return made


def test_every_picture_lies_in_its_folder_and_truths_are_packed_once(stored: Set) -> None:
    files = stored.files()
    assert len(files) == 6 * 4
    for photo in range(3):
        folder = stored.run.image_folder("pairs:p", f"p{photo}@light").relative_to(stored.run.path / "images")
        found = {name: files[f"{folder}/{name}.png"] for name in ("rainy", "clear", "identity", "unet+x")}
        rainy = 2 * photo + 1
        assert found == {"rainy": rainy, "clear": 130 + photo, "identity": rainy, "unet+x": rainy}
    assert stored.loaded == 6 + 3
    output = stored.run.output_png("pairs:p", "p1@heavy", "unet+x")
    assert output.samefile(stored.cells["unet+x"].path("rainy1heavy"))


def test_inputs_that_a_cell_holds_are_not_packed_again(tmp_path: Path) -> None:
    made = Set(tmp_path)
    made.store(inputs="identity")
    assert made.loaded == 3
    assert len(made.files()) == 6 * 4


def test_a_second_run_opens_and_writes_nothing(stored: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    before, loaded = stored.files(), stored.loaded
    times = {path: path.stat().st_mtime_ns for path in stored.run.path.rglob("*.png")}
    monkeypatch.setattr("drivederain.engine.pictures._link", lambda *_: pytest.fail("linked again"))
    told: list[int] = []
    assert stored.store(advance=told.append) == NotStored()
    assert (stored.files(), stored.loaded) == (before, loaded)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert told[-1] == 6


def test_what_is_missing_or_of_another_size_is_written_again(stored: Set) -> None:
    before = stored.files()
    folder = stored.run.image_folder("pairs:p", "p1@light")
    (folder / "rainy.png").write_bytes(b"cut short")
    (folder / "unet+x.png").unlink()
    stored.run.image_folder("pairs:p", "p2@heavy").joinpath("clear.png").unlink()
    loaded = stored.loaded
    stored.store()
    assert stored.files() == before
    assert stored.loaded == loaded + 2


def test_what_was_restored_anew_or_has_failed_is_followed(stored: Set) -> None:
    stored.cells["unet+x"].add("rainy0light", 77)
    del stored.cells["unet+x"].outputs["rainy0heavy"]
    stored.store()
    files = {path.split("/")[1] + "/" + path.split("/")[2]: value for path, value in stored.files().items()}
    assert files["p0@light/unet+x.png"] == 77
    assert "p0@heavy/unet+x.png" not in files


def test_pictures_of_an_earlier_run_do_not_linger(tmp_path: Path) -> None:
    first = Set(tmp_path)
    first.store()
    (first.run.path / "images" / "note.txt").write_text("mine")
    (first.run.image_folder("pairs:p", "p0@heavy") / ".rainy.png.begun").write_bytes(b"a killed run's")
    del first.cells["unet+x"]
    first.samples = first.samples[:1]
    first.store()
    assert set(first.files()) == {f"pairs_p/p0@heavy/{name}.png" for name in ("rainy", "clear", "identity")}
    assert not list(first.run.path.rglob(".*"))
    other = Set(tmp_path, photos=1, dataset="others")
    other.store()
    assert {path.split("/")[0] for path in other.files()} == {"others"}
    assert {path.name for path in (other.run.path / "images").iterdir()} == {"others", "manifest.jsonl", "note.txt"}


def test_a_picture_that_cannot_be_read_is_told_and_left_out(stored: Set) -> None:
    stored.run.image_folder("pairs:p", "p1@light").joinpath("rainy.png").unlink()
    stored.pictures["rainy1light"].readable = False
    problems = stored.store().problems
    assert [(problem.file, problem.reason) for problem in problems] == [
        ("rainy1light.jpg", "it cannot be decoded (truncated)")
    ]
    assert len(stored.files()) == 6 * 4 - 1
    stored.pictures["rainy1light"].readable = True
    assert stored.store() == NotStored()
    assert len(stored.files()) == 6 * 4


def test_outputs_that_are_gone_or_damaged_are_told_and_left_out(tmp_path: Path) -> None:
    made = Set(tmp_path)
    made.cells["identity"].path("rainy2light").unlink()
    damaged = made.cells["unet+x"].path("rainy0heavy")
    data = bytearray(damaged.read_bytes())
    data[50] ^= 1
    damaged.write_bytes(data)
    missing = made.store()
    assert missing.problems == []
    assert [(method, sample.image) for method, sample in missing.damaged] == [
        ("unet+x", "p0@heavy"),
        ("identity", "p2@light"),
    ]
    assert len(made.files()) == 6 * 4 - 2


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    made = Set(tmp_path, photos=60)
    broken = made.pictures["rainy50heavy"]
    broken.load = lambda: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        made.store()
    assert (made.run.path / "images" / "manifest.part.jsonl").is_file()
    loaded = made.loaded
    assert loaded > 30
    del broken.load
    made.store()
    assert made.loaded < loaded + 120  # of 180; those under way when it stopped are done again
    assert len(made.files()) == 120 * 4
    assert [path.name for path in (made.run.path / "images").glob("*.jsonl")] == ["manifest.jsonl"]
    lines = (made.run.path / "images" / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["folder"] for line in lines] == sorted(f"pairs_p/{s.image}" for s in made.samples)


def test_copies_where_the_file_system_has_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EXDEV, "another file system")

    made = Set(tmp_path)
    monkeypatch.setattr(os, "link", refuse)
    assert made.store() == NotStored()
    assert len(made.files()) == 6 * 4
    assert not made.run.output_png("pairs:p", "p1@heavy", "unet+x").samefile(made.cells["unet+x"].path("rainy1heavy"))


def test_a_damaged_or_hostile_manifest_is_not_believed(stored: Set, tmp_path: Path) -> None:
    victim = tmp_path / "victim.png"
    victim.write_bytes(b"not ours")
    manifest = stored.run.path / "images" / "manifest.jsonl"
    lines = [
        '{"folder": "../..", "files": {"victim.png": ["x", 8, 1]}}',
        '{"folder": "a/b", "files": {"../../../../victim.png": ["x", 8, 1]}}',
        '{"folder": 3}',
        "cut off {",
    ]
    manifest.write_text("\n".join(lines))
    before = stored.files()
    assert stored.store() == NotStored()
    assert victim.read_bytes() == b"not ours"
    assert stored.files() == before
    assert len(manifest.read_text().splitlines()) == 6


def test_thumbnails_of_all_layers_are_made_once(tmp_path: Path) -> None:
    whole = Set(tmp_path)
    whole.store(inputs="identity")
    strip = whole.run.path / "images" / "pairs_p" / "p1@light" / "thumbnails.webp"
    tiles = cv2.imdecode(np.frombuffer(strip.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert tiles.shape == (72, 3 * 96, 3) and strip_size(strip.read_bytes()) == (288, 72)
    means = [tiles[:, place * 96 + 8 : (place + 1) * 96 - 8].mean() for place in range(3)]
    assert means == pytest.approx([3, 131, 3], abs=4), "rainy, truth, unet+x"
    made = strip.stat().st_mtime_ns
    whole.store(inputs="identity")
    assert strip.stat().st_mtime_ns == made
    whole.cells["unet+x"].add("rainy1light", 200)
    whole.store(inputs="identity")
    tiles = cv2.imdecode(np.frombuffer(strip.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert tiles[:, 200:280].mean() == pytest.approx(200, abs=4)
    del whole.cells["unet+x"].outputs["rainy1light"]
    whole.store(inputs="identity")
    tiles = cv2.imdecode(np.frombuffer(strip.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert tiles[:, 200:280].mean() == pytest.approx(128, abs=2), "there is none"


def test_thumbnails_go_with_their_pictures(tmp_path: Path) -> None:
    whole = Set(tmp_path)
    whole.store(inputs="identity")
    whole.samples = whole.samples[:1]
    whole.store(inputs="identity")
    assert len(list((whole.run.path / "images").rglob("thumbnails.webp"))) == 1


def test_a_picture_too_tall_for_webp_is_narrower_in_its_thumbnail() -> None:
    tall = np.full((24_000, 12, 3), 250, np.uint8)
    strip = strip_of([tall, tall])
    assert strip_size(strip) == (2 * WIDTH, TALLEST)
    assert strip_size(strip_of([np.zeros((108, 192, 3), np.uint8)])) == (WIDTH, 54), "others are as wide as the tile"


def test_more_methods_than_a_strip_is_wide_have_no_thumbnails(tmp_path: Path) -> None:
    whole = Set(tmp_path)
    for number in range(MOST_TILES):
        whole.cells[f"method{number}"] = whole.cells["unet+x"]
    assert whole.store(inputs="identity") == NotStored()
    folder = whole.run.path / "images" / "pairs_p" / "p1@light"
    assert len(list(folder.glob("method*.png"))) == MOST_TILES
    assert not (folder / "thumbnails.webp").exists()
