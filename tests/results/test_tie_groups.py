from __future__ import annotations

from drivederain.results.tie_groups import shared_ranks, tie_groups


def test_a_group_is_of_those_not_told_apart_from_its_leader() -> None:
    apart = {("a", "c"), ("a", "d"), ("c", "d")}
    groups = tie_groups(["a", "b", "c", "d"], lambda one, other: (one, other) in apart)
    assert groups == [("a", "b"), ("c",), ("d",)]
    assert shared_ranks(groups) == {"a": 1, "b": 1, "c": 3, "d": 4}


def test_one_method_leads_itself_and_none_is_no_group() -> None:
    assert tie_groups(["a"], lambda one, other: True) == [("a",)]
    assert tie_groups([], lambda one, other: True) == []
