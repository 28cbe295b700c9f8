from __future__ import annotations

import numpy as np
import pytest

from drivederain.data.real import Real
from drivederain.errors import DataError


@pytest.fixture
def photos(tmp_path, save, known_strata):
    for number, level in enumerate((40, 84, 130, 220)):
        save(tmp_path / "wet" / f"p{number}.png", pixels=np.full((24, 32, 3), level, np.uint8))
    return tmp_path / "wet"


def test_photos_have_no_truth_and_an_estimate(photos, context, known_strata):
    (sample_set,) = Real(str(photos), context).sample_sets("all")
    assert (sample_set.name, sample_set.has_truth) == ("real:wet", False)
    samples = sample_set.samples
    assert [sample.intensity for sample in samples] == ["light", "light", "medium", "heavy"]
    assert [sample.borderline for sample in samples] == [False, True, False, False]
    assert {sample.intensity_source for sample in samples} == {"estimated"}
    assert all(sample.clear is None and sample.mask is None and sample.content for sample in samples)
    assert known_strata == ["estimated"] * 4


def test_nothing_can_be_trained_on_them(photos, context):
    data = Real(str(photos), context)
    assert data.sample_sets("train") == [] and data.sample_sets("val") == []
    (test,) = data.sample_sets("test")
    assert len(test.samples) == 4 and {sample.split for sample in test.samples} == {"test"}


def test_bad_photos_and_repeats(photos, context):
    (photos / "bad.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"bad\.jpg: the file is empty"):
        Real(str(photos), context).sample_sets("all")
    (photos / "twin.png").write_bytes((photos / "p0.png").read_bytes())
    context.skip_bad = True
    (sample_set,) = Real(str(photos), context).sample_sets("all")
    assert len(sample_set.samples) == 5
    assert [problem.file for problem in context.problems] == ["bad.jpg", "twin.png"]


def test_the_shipped_estimator_runs(tmp_path, save, context):
    save(tmp_path / "a.png", 3, 96, 128)
    (sample_set,) = Real(str(tmp_path), context).sample_sets("all")
    assert sample_set.samples[0].intensity in ("light", "medium", "heavy")
