from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from drivederain.data.paired import Paired
from drivederain.data.sample import DataContext
from drivederain.data.synth import write_synthetic
from drivederain.data.synthetic import Synthetic
from drivederain.errors import DataError


def score(clear, rainy):
    return {"difference": float(np.abs(clear.astype(float) - rainy).mean())}


@pytest.fixture
def photos(tmp_path, save):
    for number in range(3):
        save(tmp_path / "photos" / f"p{number}.png", number, 48, 64)
    save(tmp_path / "photos" / "night" / "p0.jpg", 7, 48, 64)
    return tmp_path / "photos"


def test_written_pictures_are_those_of_synthetic_and_read_by_paired(photos, tmp_path, context):
    out = tmp_path / "new" / "rain"
    context.size = 32
    steps = list(write_synthetic(str(photos), out, context, score))
    assert [step.done for step in steps] == list(range(1, 13)) and steps[0].total == 12
    assert steps[0].image == "night--p0@light"
    assert sorted(path.name for path in out.iterdir()) == ["clear", "masks", "parameters.parquet", "rainy"]
    assert [path.name for path in out.parent.iterdir()] == ["rain"]

    drawn = {sample.image: sample for sample in Synthetic(str(photos), context).sample_sets("all")[0].samples}
    (written,) = Paired(str(out), DataContext(context.cache)).sample_sets("all")
    assert {sample.image for sample in written.samples} == set(drawn)
    for sample in written.samples:
        same = drawn[sample.image]
        np.testing.assert_array_equal(sample.rainy.load(), same.rainy.load())
        np.testing.assert_array_equal(sample.clear.load(), same.clear.load())
        np.testing.assert_array_equal(sample.mask.load(), same.mask.load())
        assert (sample.intensity, sample.intensity_source) == (same.intensity, "recorded")
        assert sample.parameters["rain_rate_mm_h"] > 0 and sample.parameters["seed"] == 0
    assert {sample.scene for sample in written.samples} == {"night--p0", "p0", "p1", "p2"}
    assert context.problems == []

    rows = pq.read_table(out / "parameters.parquet").to_pylist()
    assert [row["image"] for row in rows] == [step.image for step in steps]
    assert rows[0]["photo"] == "night/p0.jpg" and rows[0]["size"] == "32" and rows[0]["difference"] > 0


def test_the_same_bytes_again(photos, tmp_path, context):
    for name in ("one", "two"):
        list(write_synthetic(str(photos), tmp_path / name, context, score))
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) == 37
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


def test_intensities_limit_and_bad_photos(photos, tmp_path, context):
    (photos / "bad.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"bad\.png.*|--skip-bad"):
        list(write_synthetic(str(photos), tmp_path / "out", context, score))
    assert not (tmp_path / "out").exists()
    context.skip_bad, context.limit, context.intensities = True, 2, ("heavy",)
    (tmp_path / "out").mkdir()
    assert len(list(write_synthetic(str(photos), tmp_path / "out", context, score))) == 2
    assert [problem.file for problem in context.problems] == ["bad.png"]
    with pytest.raises(DataError, match="out already holds something: choose another --out"):
        list(write_synthetic(str(photos), tmp_path / "out", context, score))


def test_nothing_is_left_when_it_ends_early(photos, tmp_path, context):
    steps = write_synthetic(str(photos), tmp_path / "out" / "rain", context, score)
    next(steps)
    steps.close()
    assert list((tmp_path / "out").iterdir()) == []

    def broken(clear, rainy):
        raise DataError("no score")

    with pytest.raises(DataError, match="no score"):
        list(write_synthetic(str(photos), tmp_path / "out" / "rain", context, broken))
    assert list((tmp_path / "out").iterdir()) == []
