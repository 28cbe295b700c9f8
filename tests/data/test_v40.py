from __future__ import annotations

import numpy as np
import pytest

from drivederain.data.v40 import V40
from drivederain.errors import DataError, OptionError

PAIRS = 31


@pytest.fixture
def root(tmp_path, save, known_strata):
    root = tmp_path / "v40"
    for number in range(PAIRS):
        save(root / "clear" / f"{number:04d}.png", number, 8, 8)
        save(root / "windshield_rainy_v40" / f"{number:04d}.jpg", pixels=np.full((8, 8, 3), 8 * number, np.uint8))
    for number in range(5):
        save(root / "real_rainy" / f"r{number}.png", number + 50, 8, 8)
    return root


def write_splits(root, **files):
    (root / "splits").mkdir(exist_ok=True)
    for part in ("train", "val", "test"):
        (root / "splits" / f"{part}.txt").write_text("\n".join(files.get(part, "").split()) + "\n", encoding="utf-8")


def images(sample_set):
    return [sample.image for sample in sample_set.samples]


def test_two_test_sets_in_proportion(root, context):
    data = V40(str(root), context)
    pairs, real = data.sample_sets("all")
    assert (pairs.name, pairs.has_truth, len(pairs.samples)) == ("v40-pairs", True, 4)
    assert (real.name, real.has_truth, len(real.samples)) == ("v40-real", False, 5)
    assert {sample.intensity_source for sample in pairs.samples} == {"pair"}
    assert {sample.intensity_source for sample in real.samples} == {"estimated"}
    assert {sample.split for sample in (*pairs.samples, *real.samples)} == {"test"}
    assert pairs.samples[0].source_file.startswith("windshield_rainy_v40/") and pairs.samples[0].clear is not None
    (train,), (val,) = data.sample_sets("train"), data.sample_sets("val")
    assert (len(train.samples), len(val.samples)) == (24, 3)
    assert len({*images(train), *images(val), *images(pairs)}) == PAIRS
    assert images(data.sample_sets("test")[0]) == images(pairs)


def test_split_files(root, context):
    test = "# 0004 windshield_rainy_v40/0005.jpg r1 real_rainy/r3.png"
    write_splits(root, train="0000 0001.png clear/0002.png", val="0003", test=test)
    data = V40(str(root), context)
    pairs, real = data.sample_sets("test")
    assert images(pairs) == ["0004", "0005"] and images(real) == ["r1", "r3"]
    assert images(data.sample_sets("train")[0]) == ["0000", "0001", "0002"]
    assert images(data.sample_sets("val")[0]) == ["0003"]
    assert "named in splits/" in pairs.description


def test_real_photos_that_test_txt_does_not_name_are_drawn(root, context):
    write_splits(root, train="0000", test="0004")
    assert len(V40(str(root), context).sample_sets("all")[1].samples) == 5


def test_at_most_200_real_photos(root, context, tmp_path):
    picture = (root / "real_rainy" / "r0.png").read_bytes()
    for number in range(205):
        (root / "real_rainy" / f"x{number}.png").write_bytes(picture)
    first = images(V40(str(root), context).sample_sets("all")[1])
    assert len(first) == 200
    (root / "real_rainy" / "notes.txt").write_text("x")
    assert images(V40(str(root), context).sample_sets("all")[1]) == first


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train": "0000", "test": "0001 9999"}, r"test\.txt, line 2: there is no picture '9999'"),
        ({"train": "0000 0001", "test": "0001"}, r"test\.txt, line 1: '0001' is already in train\.txt"),
        ({"train": "0000"}, r"no pair is left to test; name some in splits/test\.txt"),
    ],
)
def test_unusable_split_files(root, context, files, message):
    write_splits(root, **files)
    with pytest.raises(DataError, match=message):
        V40(str(root), context).sample_sets("all")


def test_all_three_split_files_or_none(root, context):
    write_splits(root, train="0000", test="0001")
    (root / "splits" / "val.txt").unlink()
    with pytest.raises(DataError, match=r"splits lacks val\.txt: give all three split files"):
        V40(str(root), context).sample_sets("all")


def test_the_same_picture_in_train_and_test(root, context):
    write_splits(root, train="0000 0001", val="0002", test="0003 0004")
    (root / "clear" / "0001.png").write_bytes((root / "clear" / "0004.png").read_bytes())
    with pytest.raises(DataError) as error:
        V40(str(root), context).sample_sets("all")
    assert "clear/0001.png: this train picture is the same as clear/0004.png of test" in str(error.value)
    context.skip_bad = True
    data = V40(str(root), context)
    assert images(data.sample_sets("train")[0]) == ["0000"]
    assert images(data.sample_sets("test")[0]) == ["0003", "0004"]
    assert [problem.file for problem in context.problems] == ["clear/0001.png"]


def test_the_same_rainy_picture_in_val_and_test(root, context):
    write_splits(root, train="0000", val="0002", test="0003")
    rainy = root / "windshield_rainy_v40"
    (rainy / "0002.jpg").write_bytes((rainy / "0003.jpg").read_bytes())
    with pytest.raises(DataError, match=r"windshield_rainy_v40/0002\.jpg: this val picture is the same as"):
        V40(str(root), context).sample_sets("all")


def test_folder_names_are_options(root, context):
    (root / "clear").rename(root / "truth")
    (root / "real_rainy").rename(root / "wet")
    with pytest.raises(DataError, match=r"clear is missing .*truth/.*--data-option v40\.clear=NAME"):
        V40(str(root), context)
    context.options = {"clear": "truth", "v40.real": "wet"}
    assert [len(one.samples) for one in V40(str(root), context).sample_sets("all")] == [4, 5]
    context.options = {"cleer": "truth"}
    with pytest.raises(OptionError, match="Did you mean clear"):
        V40(str(root), context)


def test_without_real_photos_the_pairs_are_there_and_it_is_said(root, context):
    (root / "real_rainy").rename(root / "other")
    (pairs,) = V40(str(root), context).sample_sets("all")
    assert len(pairs.samples) == 4
    assert context.problems[0].file == "real_rainy/" and "v40-real is left out" in context.problems[0].reason


def test_limit_is_for_each_test_set(root, context):
    context.limit = 2
    data = V40(str(root), context)
    assert [len(one.samples) for one in data.sample_sets("all")] == [2, 2]
    assert len(data.sample_sets("train")[0].samples) == 24


def test_skip_bad(root, context):
    (root / "clear" / "0003.png").unlink()
    (root / "real_rainy" / "r2.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"windshield_rainy_v40/0003\.jpg: it has no clear partner clear/0003"):
        V40(str(root), context).sample_sets("all")
    context.skip_bad = True
    _, real = V40(str(root), context).sample_sets("all")
    assert "r2" not in images(real) and len(real.samples) == 4
    assert {problem.file for problem in context.problems} == {"windshield_rainy_v40/0003.jpg", "r2.png"}


def test_a_bad_pair_may_stay_in_the_split_files(root, context):
    write_splits(root, train="0000", test="0003 0004")
    (root / "clear" / "0003.png").write_bytes(b"x")
    context.skip_bad = True
    assert images(V40(str(root), context).sample_sets("all")[0]) == ["0004"]


def test_an_intensity_that_one_set_lacks(root, context, save):
    for number in range(5):
        save(root / "real_rainy" / f"r{number}.png", pixels=np.full((8, 8, 3), 10 + number, np.uint8))
    write_splits(root, train="0000", test="0001 0030")
    context.intensities = ("heavy",)
    (pairs,) = V40(str(root), context).sample_sets("all")
    assert images(pairs) == ["0030"]
    assert "v40-real: no picture is heavy; there are 5 light; this set is left out" in context.problems[0].reason
    context.intensities = ("medium",)
    with pytest.raises(
        DataError, match="v40-pairs: no picture is medium; there are 1 light, 1 heavy; v40-real: no picture"
    ):
        V40(str(root), context).sample_sets("all")
