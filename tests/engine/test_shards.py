"""Shards: every scene in one of them, the same each time, and refused where there are more than scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.shards import Shard, part_of
from drivederain.errors import DataError, OptionError


def samples_of(dataset: str, scenes: int, each: int = 3, clear_input_of: str = "") -> SampleSet:
    samples = tuple(
        Sample(dataset, "all", f"s{scene:02d}@{number}", f"s{scene:02d}", None, None, None, "light", "recorded")  # type: ignore[arg-type]
        for scene in range(scenes)
        for number in range(each)
    )
    return SampleSet(dataset, "all", samples, has_truth=True, clear_input_of=clear_input_of)


@pytest.mark.parametrize("text", ["", "2", "2/", "/8", "0/8", "9/8", "2/0", "a/b", "-1/8", "2/8/3", "1.5/8", "²/8"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"--shard .*as in \d+/\d+"):
        Shard.parse(text)


def test_a_part_is_read_and_written_in_one_way() -> None:
    assert Shard.parse(" 2 / 8 ") == Shard(2, 8) and str(Shard.parse("02/8")) == "2/8"


@pytest.mark.parametrize("count", [1, 2, 3, 8, 14])
def test_every_picture_is_in_one_part_and_scenes_are_whole(count: int) -> None:
    whole = [samples_of("a", 11), samples_of("b", 3)]
    parts = [part_of(whole, Shard(number + 1, count)) for number in range(count)]
    for sample_set in whole:
        own = [part.samples for each in parts for part in each if part.name == sample_set.name]
        assert sorted(sample.image for samples in own for sample in samples) == sorted(
            sample.image for sample in sample_set.samples
        )
        for samples in own:
            assert list(samples) == [sample for sample in sample_set.samples if sample in samples], "in their order"
    scenes = [len({(each.name, sample.scene) for each in part for sample in each.samples}) for part in parts]
    assert max(scenes) - min(scenes) <= 1 and min(scenes) >= 1
    assert all(
        len({sample.scene for sample in each.samples}) * 3 == len(each.samples) for part in parts for each in part
    )


def test_clear_input_goes_with_the_pictures_that_it_is_of() -> None:
    whole = [samples_of("a", 9), samples_of("a (clear input)", 4, 1, clear_input_of="a")]
    for number in (1, 2, 3):
        scenes = {each.name: {sample.scene for sample in each.samples} for each in part_of(whole, Shard(number, 3))}
        assert scenes.get("a (clear input)", set()) == {f"s{n:02d}" for n in range(4)} & scenes["a"]


def test_more_parts_than_scenes_are_refused() -> None:
    with pytest.raises(DataError, match=r"--shard 5/9: the test data has 4 scenes.*--shard 4/4"):
        part_of([samples_of("a", 4)], Shard(5, 9))


def test_a_shard_says_what_it_is_part_of(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    pairs = make_pairs(tmp_path / "pairs", 6)
    whole = bench("brighten", f"paired:{pairs}", clear_input=2).folder
    parts = [bench("brighten", f"paired:{pairs}", clear_input=2, shard=Shard(number, 3)).folder for number in (1, 2, 3)]
    assert whole.about()["shard"] == "" and whole.about()["whole"] == []
    for number, part in enumerate(parts, start=1):
        record = part.about()
        assert record["shard"] == f"{number}/3" and record["whole"] == whole.about()["datasets"]
        assert record["datasets"][0]["images"] == 2
    images = [image for part in parts for image in part.pictures()["image"]]
    assert sorted(images) == sorted(whole.pictures()["image"])


def test_batches_of_a_shard_are_warned_of(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    pairs = make_pairs(tmp_path / "pairs", 4)
    bench("brighten", f"paired:{pairs}", batch=2, shard=Shard(1, 2))
    assert "--shard 1/2 with --batch 2" in bench.warnings
    bench("brighten", f"paired:{pairs}", shard=Shard(1, 2))
    assert "--shard" not in bench.warnings


def test_what_must_be_trained_is_trained_on_the_same_pictures(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    pairs = make_pairs(tmp_path / "pairs", 9)
    settings: dict[str, Any] = {"cache": tmp_path / "other"}
    whole = bench("tiny", f"paired:{pairs}").folder.about()["methods"][1]["weights"]
    part = bench("tiny", f"paired:{pairs}", shard=Shard(1, 2), **settings).folder.about()["methods"][1]["weights"]
    assert part[0]["sha256"] == whole[0]["sha256"]
