from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from drivederain.data.sample import DataContext
from drivederain.data.synthetic import Synthetic
from drivederain.errors import DataError, OptionError
from drivederain.rain import draw_rain


@pytest.fixture
def photos(tmp_path, save):
    for number in range(10):
        save(tmp_path / "photos" / f"road_{number}.png", number)
    return tmp_path / "photos"


def only(sets):
    (sample_set,) = sets
    return sample_set


def test_each_photo_at_each_intensity(photos, context):
    sample_set = only(Synthetic(str(photos), context).sample_sets("all"))
    assert (sample_set.name, sample_set.split, sample_set.has_truth) == ("synthetic:photos", "all", True)
    images = [sample.image for sample in sample_set.samples]
    assert images[:4] == ["road_0@light", "road_0@medium", "road_0@heavy", "road_1@light"] and len(images) == 30
    sample = sample_set.samples[5]
    assert (sample.scene, sample.intensity, sample.intensity_source) == ("road_1", "heavy", "recorded")
    assert (sample.size, sample.source_file, sample.dataset) == ("native", "road_1.png", "synthetic:photos")
    assert sample.parameters["seed"] == 0 and sample.parameters["intensity"] == "heavy"
    clear = np.asarray(Image.open(photos / "road_1.png"))
    np.testing.assert_array_equal(sample.clear.load(), clear)
    rain = draw_rain(clear, seed=0, key="road_1", intensity="heavy")
    np.testing.assert_array_equal(sample.rainy.load(), rain.rainy)
    np.testing.assert_array_equal(sample.mask.load(), np.rint(rain.soft * 255))
    assert "10 of 10 clear photos; windshield rain drawn at light, medium, heavy with seed 0" in sample_set.description


def test_rain_is_drawn_after_resizing(photos, context, save):
    save(photos / "tiny.png", 3, 10, 14)
    context.size = 12
    samples = {sample.image: sample for sample in only(Synthetic(str(photos), context).sample_sets("all")).samples}
    resized, tiny = samples["road_1@light"], samples["tiny@light"]
    assert resized.rainy.load().shape == resized.clear.load().shape == (12, 16, 3)
    assert resized.mask.load().shape == (12, 16)
    expected = draw_rain(resized.clear.load(), seed=0, key="road_1", intensity="light").rainy
    np.testing.assert_array_equal(resized.rainy.load(), expected)
    assert (resized.size, tiny.size, tiny.clear.load().shape) == ("12", "native", (10, 14, 3))


def test_a_second_look_is_the_same_and_decodes_nothing(photos, tmp_path, monkeypatch):
    def look():
        sample_set = only(Synthetic(str(photos), DataContext(tmp_path / "cache", limit=4)).sample_sets("all"))
        return [(s.image, s.content, s.rainy.fingerprint, s.clear.fingerprint) for s in sample_set.samples]

    first = look()
    monkeypatch.setattr("drivederain.data.found.decode", None)
    assert look() == first


def test_limit_is_of_photos_by_content_not_by_name(photos, tmp_path):
    def chosen(folder):
        sample_set = only(Synthetic(str(folder), DataContext(tmp_path / "cache", limit=3)).sample_sets("all"))
        assert [s.image for s in sample_set.samples] == sorted(
            [s.image for s in sample_set.samples], key=lambda image: image.partition("@")[0]
        )
        assert len(sample_set.samples) == 9
        return {sample.content for sample in sample_set.samples}

    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for number in range(10):
        (renamed / f"x{9 - number}.png").write_bytes((photos / f"road_{number}.png").read_bytes())
    assert chosen(photos) == chosen(renamed)


def test_splits(photos, context):
    data = Synthetic(str(photos), context)
    scenes = {split: {s.scene for s in only(data.sample_sets(split)).samples} for split in ("train", "val", "test")}
    assert {split: len(names) for split, names in scenes.items()} == {"train": 7, "val": 1, "test": 2}
    assert len(set.union(*scenes.values())) == 10
    test = only(data.sample_sets("test"))
    assert test.split == "test" and all(sample.split == "test" for sample in test.samples)
    assert "the test part of a 70/10/20 split by scene and content hash" in test.description


def test_limit_does_not_touch_training_nor_move_splits(photos, context, tmp_path):
    limited = Synthetic(str(photos), DataContext(tmp_path / "cache", limit=1))
    whole = Synthetic(str(photos), context)
    assert only(limited.sample_sets("train")).samples == only(whole.sample_sets("train")).samples
    test = {sample.image for sample in only(limited.sample_sets("test")).samples}
    assert len(test) == 3 and test < {sample.image for sample in only(whole.sample_sets("test")).samples}


def test_intensities_and_seed(photos, tmp_path):
    def samples(**named):
        return only(Synthetic(str(photos), DataContext(tmp_path / "cache", **named)).sample_sets("all")).samples

    heavy = samples(intensities=("heavy",))
    assert len(heavy) == 10 and {sample.intensity for sample in heavy} == {"heavy"}
    assert heavy[0].rainy.fingerprint != samples(intensities=("heavy",), seed=1)[0].rainy.fingerprint


def test_scenes_by_folder_and_by_option(tmp_path, save, context):
    for number in range(3):
        save(tmp_path / "drives" / "first" / f"{number:04d}.png", number)
        save(tmp_path / "drives" / "second" / f"{number:04d}.png", number + 3)
    samples = only(Synthetic(str(tmp_path / "drives"), context).sample_sets("all")).samples
    assert Counter(sample.scene for sample in samples) == {"first": 9, "second": 9}
    assert samples[0].image == "first--0000@light" and samples[0].parameters["key"] == "first/0000"
    context.options = {"scene": "stem"}
    assert len({s.scene for s in only(Synthetic(str(tmp_path / "drives"), context).sample_sets("all")).samples}) == 6
    context.options = {"scne": "stem"}
    with pytest.raises(OptionError, match="Did you mean scene"):
        Synthetic(str(tmp_path / "drives"), context)


def test_bad_files(photos, context):
    (photos / "cut.png").write_bytes((photos / "road_1.png").read_bytes()[:60])
    for number in range(6):
        (photos / f"text_{number}.jpg").write_text("no picture")
    with pytest.raises(DataError) as error:
        Synthetic(str(photos), context).sample_sets("all")
    message = str(error.value)
    assert "7 files of" in message and "cut.png: it cannot be decoded" in message and "--skip-bad" in message
    assert message.count("text_") == 4 and "... and 2 more" in message
    context.skip_bad = True
    data = Synthetic(str(photos), context)
    assert len(only(data.sample_sets("all")).samples) == 30
    data.sample_sets("all")
    assert [problem.file for problem in context.problems] == ["cut.png", *(f"text_{number}.jpg" for number in range(6))]


def test_the_same_photo_twice_is_noted_and_stays_in_one_part(photos, context):
    for number in range(10):
        (photos / f"again_{number}.png").write_bytes((photos / f"road_{number}.png").read_bytes())
    data = Synthetic(str(photos), context)
    assert len(only(data.sample_sets("all")).samples) == 60
    assert len(context.problems) == 10
    assert context.problems[0].file == "road_0.png" and "the same picture as again_0.png" in context.problems[0].reason
    contents = {split: {s.content for s in only(data.sample_sets(split)).samples} for split in ("train", "val", "test")}
    assert not contents["train"] & contents["test"] and not contents["val"] & contents["test"]


def test_nothing_usable(tmp_path, context):
    folder = tmp_path / "photos"
    folder.mkdir()
    with pytest.raises(DataError, match="photos holds no picture"):
        Synthetic(str(folder), context).sample_sets("all")
    (folder / "a.png").write_bytes(b"")
    context.skip_bad = True
    with pytest.raises(DataError, match="none of its pictures can be used"):
        Synthetic(str(folder), context).sample_sets("all")
    with pytest.raises(DataError, match=r"a\.png is a file"):
        Synthetic(str(folder / "a.png"), context)
    with pytest.raises(DataError, match="does not exist"):
        Synthetic(str(tmp_path / "nowhere"), context)


def test_one_photo_cannot_be_split(tmp_path, save, context):
    save(tmp_path / "photos" / "a.png")
    data = Synthetic(str(tmp_path / "photos"), context)
    assert len(only(data.sample_sets("all")).samples) == 3
    with pytest.raises(DataError, match="one scene and cannot be split"):
        data.sample_sets("train")


def test_unusual_names(tmp_path, save, context):
    for number, name in enumerate(
        ["mit leer.png", "ü日.png", "con.png", "x@heavy.png", "a;b&c.png", f"{'l' * 200}.png"]
    ):
        save(tmp_path / "photos" / name, number)
    samples = only(Synthetic(str(tmp_path / "photos"), context).sample_sets("all")).samples
    images = [sample.image for sample in samples]
    assert len(set(images)) == 18 and "x@heavy@light" in images
    assert all(image.isascii() and len(image) <= 110 and not set(image) & set(" /\\:;&") for image in images)
    assert {sample.source_file for sample in samples} >= {"mit leer.png", "ü日.png"}
    assert samples[0].rainy.load().shape == (24, 32, 3)
