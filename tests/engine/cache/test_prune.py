"""What prune takes out, what it keeps, and that it stays inside the cache."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from drivederain.engine.cache import prune, removal
from drivederain.engine.cache.prune import Criteria, carry_out, plan
from drivederain.engine.cache.survey import survey
from drivederain.errors import OptionError

DAY = 86400.0


def pruned(made: Any, **criteria: Any) -> set[Path]:
    """What is gone after it."""
    before = {entry.path for entry in survey(made.path).entries}
    carry_out(plan(survey(made.path), Criteria(**criteria)))
    return {path for path in before if not path.exists()}


@pytest.mark.parametrize("criteria", [{}, {"weights": True}, {"everything": True, "stale": True}])
def test_it_refuses_to_guess(made: Any, criteria: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=r"--older-than|--all"):
        plan(survey(made.path), Criteria(**criteria))


def test_what_was_not_used_for_long_goes(made: Any) -> None:
    made.cell(age=2 * DAY), made.input("new", age=2 * DAY), made.weights(age=40 * DAY), made.content()
    old = {made.cell(age=31 * DAY, threads=2), made.input("old", age=31 * DAY)}
    assert pruned(made, older_than=timedelta(days=30)) == old


def test_a_clock_that_was_ahead_makes_nothing_old(made: Any) -> None:
    made.cell(age=-400 * DAY)
    old = made.cell(age=31 * DAY, threads=2)
    assert pruned(made, older_than=timedelta(days=30)) == {old}


def test_the_least_recently_used_go_first_until_it_is_small_enough(made: Any) -> None:
    entries = [made.cell(threads=1, age=400), made.input(age=300), made.cell(threads=2, age=200), made.cell(threads=3)]
    made.weights(age=1000)
    whole = survey(made.path).bytes
    assert pruned(made, max_bytes=whole) == set()
    planned = plan(survey(made.path), Criteria(max_bytes=whole - 1))
    assert [entry.path for entry in planned.entries] == entries[:1] and planned.left == whole - planned.bytes
    sizes = {entry.path: entry.bytes for entry in survey(made.path).entries}
    assert pruned(made, max_bytes=whole - sizes[entries[0]] - 1) == set(entries[:2])
    assert plan(survey(made.path), Criteria(max_bytes=0)).left > 0, "weights stay"
    assert plan(survey(made.path), Criteria(max_bytes=0, weights=True)).left == 0


def test_cells_of_one_chain(made: Any) -> None:
    unet, restormer = made.cell(), made.cell(method="restormer")
    made.cell(method="diffusion", before={"method": "unet"})
    own, other = made.weights(), made.weights("diffusion", behind="unet")
    with pytest.raises(OptionError, match=r"no such chain.*Did you mean 'unet'"):
        plan(survey(made.path), Criteria(chain="unett"))
    assert pruned(made, chain="restormer", older_than=timedelta(days=1)) == set(), "criteria narrow each other"
    assert pruned(made, chain="restormer") == {restormer}
    assert pruned(made, chain="unet", weights=True) == {unet, own}
    assert pruned(made, chain="unet + diffusion", weights=True) >= {other}


def test_stale_is_of_other_public_versions(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "installed_versions", lambda: {"drivederain": "0.1.0", "torch": "2.15.0"})
    made.cell(torch="2.15.0+cu130"), made.cell(torch=None), made.input(age=400 * DAY), made.weights(age=400 * DAY)
    (made.cell(threads=9) / "key.json").write_text("{")
    stale = {made.cell(torch="2.14.0+cpu"), made.cell(drivederain="0.0.9")}
    assert pruned(made, stale=True, weights=True) == stale


def test_the_installed_versions_are_those_that_keys_name() -> None:
    from importlib.metadata import version

    import drivederain
    from drivederain.engine.cache.staleness import installed_versions, is_stale
    from drivederain.engine.keys import ENGINE_VERSION

    installed = installed_versions()
    engine = {"engine": str(ENGINE_VERSION)}
    assert installed == {"drivederain": drivederain.__version__, "torch": version("torch")} | engine
    assert not is_stale(installed, installed) and is_stale({**installed, "torch": "1.0"}, installed)
    assert not is_stale({"engine": int(installed["engine"])}, installed) and is_stale({"engine": 1}, installed)


def test_all_of_it_goes_with_weights_and_leaves_other_files(made: Any) -> None:
    made.cell(), made.input(), made.content(), made.stratum(), made.weights()
    (made.path / "mine.txt").write_text("mine")
    pruned(made, everything=True)
    assert [path for path in made.path.rglob("*") if path.is_file()] == [made.path / "mine.txt"]


def test_leftovers_always_go(made: Any) -> None:
    cell = made.cell()
    left = [cell / "pictures" / ".p9.png.ab_d12fg", cell.parent / f".{cell.name}.0a1b2c3d"]
    left[0].write_bytes(b"half")
    (left[1] / "pictures").mkdir(parents=True)
    damaged = made.weights().with_suffix(".damaged")
    damaged.write_bytes(b"")
    for path in left:
        made.touch(path, 4000)
    assert pruned(made, older_than=timedelta(days=1)) == set()
    assert not any(path.exists() for path in (*left, damaged)) and cell.is_dir()


def test_a_cell_in_use_is_kept(made: Any, held: Any) -> None:
    used, free = made.cell(), made.cell(threads=2)
    with held(used):
        planned = plan(survey(made.path), Criteria(everything=True))
        assert [cell.path for cell in planned.in_use] == [used]
        assert [entry.path for entry in planned.entries] == [free]
        carry_out(planned)
        assert used.is_dir() and (used / "outputs.jsonl").is_file() and not free.exists()
    assert pruned(made, everything=True) == {used}


def test_a_cell_that_came_into_use_after_the_question_is_kept(made: Any, held: Any) -> None:
    locked, touched, free = (made.cell(threads=threads, age=DAY) for threads in (1, 2, 3))
    planned = plan(survey(made.path), Criteria(everything=True))
    os.utime(touched / "key.json")
    with held(locked):
        done = carry_out(planned)
    assert {cell.path for cell in done.in_use} == {locked, touched}
    assert locked.is_dir() and touched.is_dir() and not free.exists()
    assert (done.count, done.bytes) == (1, next(each.bytes for each in planned.entries if each.path == free))


def test_a_kill_midway_leaves_no_half_cell(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = made.cell()

    def killed(*arguments: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        carry_out(plan(survey(made.path), Criteria(everything=True)))
    monkeypatch.undo()
    assert not cell.exists()
    (left,) = cell.parent.iterdir()
    assert left.name.startswith(f".{cell.name}.") and survey(made.path).cells == []
    made.touch(left, 4000)
    carry_out(plan(survey(made.path), Criteria(everything=True)))
    assert list(cell.parent.iterdir()) == []


def test_nothing_outside_is_touched(made: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    victim = outside / "ab" / ("ab" * 32)
    victim.mkdir(parents=True)
    (victim / "key.json").write_text('{"method": "unet"}')
    (victim / "lock.txt").write_text("precious")
    cell = made.cell()
    (made.path / "inputs").symlink_to(outside)
    (cell.parent / ("ab" * 32)).symlink_to(victim)
    (cell / "pictures" / "out.png").symlink_to(victim / "key.json")
    (cell / "more").symlink_to(victim)
    (cell / "lock").symlink_to(victim / "lock.txt")
    pruned(made, everything=True)
    assert not cell.exists()
    assert sorted(path.name for path in victim.iterdir()) == ["key.json", "lock.txt"]
    assert (victim / "lock.txt").read_text() == "precious"
    assert (made.path / "inputs").is_symlink() and (cell.parent / ("ab" * 32)).is_symlink()


def test_what_another_process_took_out_meanwhile_is_no_error(made: Any) -> None:
    cell, drawn, weights = made.cell(), made.input(), made.weights()
    planned = plan(survey(made.path), Criteria(everything=True))
    for folder in (cell, drawn):
        shutil.rmtree(folder)
    weights.unlink()
    carry_out(planned)
    assert not cell.exists()
    removal.remove_folder(cell)


def test_the_lock_of_weights_goes_with_them_unless_they_are_trained_anew(made: Any) -> None:
    lock = made.weights().with_suffix(".lock")
    lock.touch()
    pruned(made, everything=True)
    assert not lock.exists()
    shutil.rmtree(lock.parent)
    made.weights()
    with FileLock(lock):
        pruned(made, everything=True)
        assert lock.exists()
