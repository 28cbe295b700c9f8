from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from drivederain.data.strata.pair_features import PAIR_FEATURE_NAMES
from drivederain.data.strata.photo_features import FEATURE_NAMES
from drivederain.data.strata.trees import TreeEnsemble, load_trees

SHIPPED = ("photo_trees", "pair_trees")


def test_two_trees_by_hand() -> None:
    trees = TreeEnsemble(
        features=("a", "b"),
        feature=np.asarray([0, 0, 1, 0, 0, 0], np.int16),
        threshold=np.asarray([1.0, 0, 5.0, 0, 0, 0], np.float32),
        left=np.asarray([1, 1, 3, 3, 4, 5], np.int32),
        right=np.asarray([2, 1, 4, 3, 4, 5], np.int32),
        value=np.asarray([0, 10, 0, 20, 30, 0.5], np.float32),
        roots=np.asarray([0, 5], np.int32),
        depth=2,
        base=100.0,
        error=0.0,
    )
    rows = np.asarray([[1.0, 9.0], [1.1, 5.0], [1.1, 5.1]], np.float32)
    assert trees.predict(rows).tolist() == [110.5, 120.5, 130.5]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_arrays_are_plain_and_small(name: str) -> None:
    path = files("drivederain.data.strata") / f"{name}.npz"
    assert len(path.read_bytes()) < 300_000
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        assert {arrays[key].dtype.kind for key in arrays.files} <= set("uifU")


@pytest.mark.parametrize(("name", "features"), [("photo_trees", FEATURE_NAMES), ("pair_trees", PAIR_FEATURE_NAMES)])
def test_shipped_trees_are_whole_and_of_these_features(name: str, features: tuple[str, ...]) -> None:
    trees = load_trees(name)
    assert trees.features == features
    assert trees.feature.max() < len(features)
    node = trees.roots
    for _ in range(trees.depth):
        node = np.concatenate((trees.left[node], trees.right[node]))
    assert (trees.left[node] == node).all()
    assert (trees.right[node] == node).all()
    assert 0 < trees.error < 0.1


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_trees_stay_in_range(name: str) -> None:
    trees = load_trees(name)
    rows = np.random.default_rng(0).normal(0, 10, (200, len(trees.features))).astype(np.float32)
    predicted = trees.predict(rows)
    assert np.isfinite(predicted).all()
    assert predicted.min() > -0.5
    assert predicted.max() < 1.5
