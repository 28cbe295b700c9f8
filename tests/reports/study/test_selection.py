"""Which questions are asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from drivederain.errors import DataError, OptionError
from drivederain.results.run_folder import RunFolder
from drivederain_reports.study.candidates import candidates, compared_methods
from drivederain_reports.study.selection import Asked, check_questions, pair_questions
from tests.reports.conftest import METHODS, FakeRun


def picked(run: RunFolder, count: int, seed: int = 0) -> list[Asked]:
    methods, strata = candidates(run, seed)
    return pair_questions(strata, methods, count, seed)


def names(asked: list[Asked]) -> list[tuple[str, ...]]:
    return [(*sorted(side.name for side in each.sides), each.candidate.image) for each in asked]


def test_every_beginning_has_all_pairs_and_strata_as_often(run: RunFolder) -> None:
    asked = picked(run, 42)
    for count in (6, 17, 30, 42):
        pairs = Counter(frozenset(side.name for side in each.sides) for each in asked[:count])
        assert len(pairs) == 6 and max(pairs.values()) - min(pairs.values()) <= 1
    strata = Counter((each.candidate.dataset, each.candidate.intensity) for each in asked)
    assert len(strata) == 9 and max(strata.values()) - min(strata.values()) <= 1


def test_pictures_and_scenes_are_repeated_as_late_as_possible(run: RunFolder) -> None:
    asked = picked(run, 18)
    assert len({(each.candidate.dataset, each.candidate.image) for each in asked}) == 18
    assert max(Counter((each.candidate.dataset, each.candidate.scene) for each in asked).values()) <= 3


def test_the_seed_alone_decides(run: RunFolder) -> None:
    assert names(picked(run, 20)) == names(picked(run, 20))
    assert names(picked(run, 20)) != names(picked(run, 20, seed=1))


def test_pictures_that_a_method_failed_on_are_not_asked_about(tmp_path: Path) -> None:
    run = FakeRun(scenes=3, failing=("restormer@heavy",)).build(tmp_path / "mine")
    asked = picked(run, 400)
    assert all(side.path.is_file() for each in asked for side in each.sides)
    heavy = {side.name for each in asked if each.candidate.intensity == "heavy" for side in each.sides}
    assert heavy == {"identity", "unet", "unet+diffusion"}
    assert len(set(names(asked))) == len(asked) == 18 * 6 + 9 * 3, "each picture with each pair, once"


def test_attention_checks_show_the_truth_where_there_is_one(run: RunFolder, tmp_path: Path) -> None:
    _, strata = candidates(run, 0)
    asked = check_questions(strata, 3, 0)
    assert [side.name for each in asked for side in each.sides] == ["clear", "blurred"] * 3
    real = FakeRun(scenes=0, with_second=False).build(tmp_path / "real")
    _, strata = candidates(real, 0)
    assert [side.name for side in check_questions(strata, 1, 0)[0].sides] == ["rainy", "blurred"]


def test_methods_are_those_asked_for(run: RunFolder) -> None:
    known, strata = candidates(run, 0)
    assert known == ["identity", "restormer", "unet", "unet+diffusion"] and set(known) == set(METHODS)
    assert compared_methods(run, known, (), False, strata) == ["restormer", "unet", "unet+diffusion"]
    assert compared_methods(run, known, ("unet",), True, strata) == ["identity", "unet"]
    with pytest.raises(OptionError, match=r"unett.*Did you mean 'unet'"):
        compared_methods(run, known, ("unett",), True, strata)
    with pytest.raises(DataError, match=r"no two methods.*\(unet\).*--input"):
        compared_methods(run, known, ("unet",), False, strata)


def test_a_run_without_pictures_is_refused(tmp_path: Path) -> None:
    run = FakeRun(scenes=2, images=False).build(tmp_path / "mine")
    known, strata = candidates(run, 0)
    with pytest.raises(DataError, match="no two methods with stored pictures"):
        compared_methods(run, known, (), True, strata)
