from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from drivederain.data import drawn_scenes
from drivederain.data.content import content_of
from drivederain.data.scenes import Scenes
from drivederain.errors import DataError


def test_scenes(context):
    (sample_set,) = Scenes("2x40x64", context).sample_sets("all")
    assert (sample_set.name, sample_set.has_truth, len(sample_set.samples)) == ("scenes:2x40x64", True, 6)
    assert [sample.image for sample in sample_set.samples[2:4]] == ["scene_0000@heavy", "scene_0001@light"]
    sample = sample_set.samples[2]
    assert sample.rainy.load().shape == sample.clear.load().shape == (40, 64, 3) and sample.mask.load().max() > 0
    assert not np.array_equal(sample.rainy.load(), sample.clear.load())
    assert sample.content == content_of(sample.clear.load()).sha256
    assert "smoke test" in sample_set.description
    (again,) = Scenes("2x40x64", context).sample_sets("test")
    assert [s.rainy.fingerprint for s in again.samples] == [s.rainy.fingerprint for s in sample_set.samples]


@pytest.fixture
def quick_scenes(monkeypatch):
    """Noise instead of street scenes, for what does not depend on what is drawn."""

    def draw(*, seed, index, height, width):
        noise = np.random.default_rng([seed, index]).integers(0, 256, (height, width, 3), dtype=np.uint8)
        return SimpleNamespace(image=noise)

    monkeypatch.setattr(drawn_scenes, "draw_scene", draw)


@pytest.mark.usefixtures("quick_scenes")
def test_training_scenes_are_others(context):
    data = Scenes("2x40x64", context)
    (train,), (val,), (test,) = (data.sample_sets(split) for split in ("train", "val", "test"))
    assert [len(part.samples) for part in (train, val, test)] == [21, 3, 6]
    contents = [{sample.content for sample in part.samples} for part in (train, val, test)]
    assert sum(map(len, contents)) == len(set.union(*contents)) == 10


@pytest.mark.usefixtures("quick_scenes")
def test_more_scenes_hold_the_fewer(context):
    (few,), (more,) = (Scenes(location, context).sample_sets("all") for location in ("2x40x64", "3x40x64"))
    assert {s.rainy.fingerprint for s in few.samples} < {s.rainy.fingerprint for s in more.samples}


@pytest.mark.usefixtures("quick_scenes")
def test_size_limit_and_seed(context):
    context.size, context.limit = 32, 1
    (sample_set,) = Scenes("2x40x64", context).sample_sets("all")
    sample = sample_set.samples[0]
    assert len(sample_set.samples) == 3 and sample.size == "32" and sample.rainy.load().shape == (32, 51, 3)
    context.seed = 1
    (other,) = Scenes("2x40x64", context).sample_sets("all")
    assert other.samples[0].content != sample.content


def test_the_default_is_twelve_scenes_of_640x360(context):
    data = Scenes("", context)
    assert (data.name, data._count, data._height, data._width) == ("scenes", 12, 360, 640)


@pytest.mark.parametrize("location", ["0", "many", "20x360", "-3", "2x10x64", "2x64x99999"])
def test_unusable_locations(location, context):
    with pytest.raises(DataError, match=f"--data scenes:{location}"):
        Scenes(location, context)
