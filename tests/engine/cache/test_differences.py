"""Why a key was missed, in words."""

from __future__ import annotations

from typing import Any

from drivederain.engine.cache.differences import differences, explain_miss

UNET: dict[str, Any] = {
    "method": "unet", "options": {"depth": 5}, "weights": "a" * 64, "before": None, "torch": "2.14.0", "threads": 1,
}  # fmt: skip
CHAIN = {"method": "diffusion", "options": {"steps": 4}, "weights": "c" * 64, "before": UNET, "torch": "2.14.0"}


def test_every_part_that_differs_is_named_with_both_values_and_what_it_means() -> None:
    new = {**UNET, "options": {"depth": 4}, "weights": "b" * 64, "torch": "2.15.0"}
    found = {each.part: each for each in differences(UNET, new)}
    assert set(found) == {"options.depth", "weights", "torch"}
    assert str(found["options.depth"]) == "options.depth 5 -> 4"
    assert str(found["weights"]) == "weights aaaaaaaa -> bbbbbbbb" and found["weights"].meaning == "other weights"
    assert found["torch"].meaning == "torch is another version: outputs may change"


def test_parts_of_the_stage_before_are_named_with_its_name() -> None:
    new = {**CHAIN, "before": {**UNET, "weights": "b" * 64, "options": {"depth": 4}}}
    found = {each.part: each.meaning for each in differences(CHAIN, new)}
    assert found == {
        "before.weights": "other weights, of the stage before it",
        "before.options.depth": "other options, of the stage before it",
    }


def test_what_changed_for_all_stages_alike_is_named_once() -> None:
    new = {**CHAIN, "torch": "2.15.0", "before": {**UNET, "torch": "2.15.0"}}
    assert [str(each) for each in differences(CHAIN, new)] == ["torch 2.14.0 -> 2.15.0"]
    other = {**CHAIN, "torch": "2.15.0", "before": {**UNET, "torch": "2.16.0"}}
    assert [each.part for each in differences(CHAIN, other)] == ["before.torch", "torch"]


def test_parts_that_one_key_lacks_and_other_chains() -> None:
    found = {each.part: str(each) for each in differences({**UNET, "batch": 1}, {**CHAIN, "tile": None})}
    assert found["batch"] == "batch 1 -> (not there)"
    assert found["tile"] == "tile (not there) -> none"
    assert found["before"] == "before none -> unet"
    assert found["method"] == "method unet -> diffusion"


def test_equal_keys_do_not_differ_whatever_their_sequences_are() -> None:
    assert differences({"method": "m", "a": (1, 2)}, {"a": [1, 2], "method": "m"}) == []


def test_a_miss_is_explained_by_the_most_similar_cell(made: Any) -> None:
    made.cell(threads=2, weights="e" * 64, age=10)
    made.cell(threads=4, age=500)
    made.cell(threads=8, age=100)
    made.cell(method="restormer", threads=3)
    wanted = {**made.parts, "threads": 3}
    assert explain_miss(made.path, wanted) == "unet is computed anew: threads 8 -> 3"


def test_many_differences_are_cut_short(made: Any) -> None:
    made.cell()
    wanted = {**made.parts, "threads": 3, "precision": "bf16", "device": "cuda", "torch": "3", "engine": 2, "seed": 1}
    text = explain_miss(made.path, wanted)
    assert text is not None and text.endswith(", 2 more") and text.count("->") == 4


def test_nothing_is_explained_where_there_is_nothing_to_explain(made: Any) -> None:
    assert explain_miss(made.path, made.parts) is None, "an empty cache"
    cell = made.cell()
    assert explain_miss(made.path, made.parts) is None, "the cell is there"
    assert explain_miss(made.path, {**made.parts, "method": "other"}) is None, "its chain was never computed"
    (cell / "outputs.jsonl").unlink()
    assert explain_miss(made.path, {**made.parts, "threads": 9}) is None, "nothing was computed there"


def test_damaged_keys_are_passed_over(made: Any) -> None:
    (made.cell() / "key.json").write_text("{")
    (made.cell(threads=5) / "key.json").unlink()
    assert explain_miss(made.path, {**made.parts, "threads": 9}) is None
