"""Keys and seeds depend on values alone."""

from __future__ import annotations

import pytest

from drivederain.engine.keys import key_of, seed_of
from drivederain.results.json_lines import canonical


def test_key_does_not_depend_on_order() -> None:
    assert key_of({"a": 1, "b": {"c": (1, 2), "d": {3, 1}}}) == key_of({"b": {"d": {1, 3}, "c": [1, 2]}, "a": 1})


def test_key_depends_on_every_value() -> None:
    base = {"options": {"gain": 1.0}, "weights": "ab"}
    assert len({key_of(base), key_of({**base, "weights": "ac"}), key_of({**base, "options": {"gain": 1.5}})}) == 3


def test_key_is_the_same_on_every_machine() -> None:
    assert canonical({"b": "ä", "a": [1.5, None, True]}) == '{"a":[1.5,null,true],"b":"ä"}'
    assert key_of({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_what_has_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no canonical JSON"):
        key_of({"a": object()})


def test_seed_comes_from_names() -> None:
    assert seed_of(0, "unet", "x") == seed_of(0, "unet", "x") != seed_of(0, "unet", "y")
    assert seed_of("ab", "c") != seed_of("a", "bc")
    assert 0 <= seed_of(7) < 2**63
