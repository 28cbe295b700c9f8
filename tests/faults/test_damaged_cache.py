"""Things that are missing from the cache, or are not what was written: noticed, and computed again."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

Harm = Callable[[Path, random.Random], int]
"""Does harm to a cache, and says how many pictures have to be restored again for it."""


def cells(cache: Path) -> list[Path]:
    return sorted(path.parent for path in cache.glob("cells/*/*/outputs.jsonl"))


def some(paths: Iterator[Path], chosen: random.Random, count: int = 5) -> list[Path]:
    return chosen.sample(sorted(paths), count)


def flip(path: Path, chosen: random.Random) -> None:
    """Change one byte; the length stays."""
    data = bytearray(path.read_bytes())
    place = chosen.randrange(len(data))
    data[place] ^= 1 << chosen.randrange(8)
    path.write_bytes(data)


def take_out(folder: Path) -> None:
    """At once, as a run may write into it meanwhile."""
    aside = folder.parent / f".{folder.name}.aside"
    folder.rename(aside)
    shutil.rmtree(aside)


def no_pictures(cache: Path, chosen: random.Random) -> int:
    lost = some(cache.glob("cells/*/*/pictures/*.png"), chosen)
    for path in lost:
        path.unlink()
    return len(lost)


def cut_pictures(cache: Path, chosen: random.Random) -> int:
    lost = some(cache.glob("cells/*/*/pictures/*.png"), chosen)
    for path in lost:
        data = path.read_bytes()
        path.write_bytes(data[: chosen.randrange(len(data))])
    return len(lost)


def no_picture_folder(cache: Path, chosen: random.Random) -> int:
    folder = chosen.choice(cells(cache)) / "pictures"
    count = len(list(folder.iterdir()))
    take_out(folder)
    return count


def no_cell(cache: Path, chosen: random.Random) -> int:
    folder = chosen.choice(cells(cache))
    count = len(list((folder / "pictures").iterdir()))
    take_out(folder)
    return count


def no_inputs(cache: Path, chosen: random.Random) -> int:
    take_out(cache / "inputs")
    return 0


def flipped_inputs(cache: Path, chosen: random.Random) -> int:
    for path in some(cache.glob("inputs/*/*/*"), chosen, 9):
        flip(path, chosen)
    return 0


def no_input_files(cache: Path, chosen: random.Random) -> int:
    for path in some(cache.glob("inputs/*/*/*"), chosen, 9):
        path.unlink()
    return 0


def no_contents(cache: Path, chosen: random.Random) -> int:
    take_out(cache / "contents")
    return 0


def no_keys_and_facts(cache: Path, chosen: random.Random) -> int:
    for path in [*cache.glob("cells/*/*/key.json"), *cache.glob("cells/*/*/facts.json")]:
        path.unlink()
    return 0


def half_of_the_lines(cache: Path, chosen: random.Random) -> int:
    """Cut in the middle of a line."""
    lost = 0
    for cell in cells(cache):
        path = cell / "outputs.jsonl"
        data = path.read_bytes()
        kept = data[: data.index(b"\n", len(data) // 2) - 40]
        path.write_bytes(kept)
        lost += data.count(b"\n") - kept.count(b"\n")
    return lost


def half_of_the_scores(cache: Path, chosen: random.Random) -> int:
    for path in cache.glob("cells/*/*/scores.jsonl"):
        data = path.read_bytes()
        path.write_bytes(data[: data.index(b"\n", len(data) // 2) - 20])
    return 0


def flipped_scores(cache: Path, chosen: random.Random) -> int:
    for path in cache.glob("cells/*/*/scores.jsonl"):
        for _ in range(5):
            flip(path, chosen)
    return 0


def flipped_pictures(cache: Path, chosen: random.Random) -> int:
    """Their scores are known, so that only putting them into the run's folder reads them."""
    lost = some(cache.glob("cells/*/*/pictures/*.png"), chosen)
    for path in lost:
        flip(path, chosen)
    return len(lost)


def flipped_pictures_and_no_scores(cache: Path, chosen: random.Random) -> int:
    lost = some(cache.glob("cells/*/*/pictures/*.png"), chosen)
    for path in lost:
        flip(path, chosen)
    for path in cache.glob("cells/*/*/scores.jsonl"):
        path.unlink()
    return len(lost)


def no_lock_files(cache: Path, chosen: random.Random) -> int:
    for path in cache.glob("cells/*/*/lock"):
        path.unlink()
    return 0


HARMS: list[Harm] = [
    no_pictures,
    cut_pictures,
    no_picture_folder,
    no_cell,
    no_inputs,
    flipped_inputs,
    no_input_files,
    no_contents,
    no_keys_and_facts,
    half_of_the_lines,
    half_of_the_scores,
    flipped_scores,
    flipped_pictures,
    flipped_pictures_and_no_scores,
    no_lock_files,
]


@pytest.fixture
def bench(open_bench: Any) -> Any:
    return open_bench("slow,slow+average", synthetic=True)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The cache of a whole run, once there is one."""
    return {"cache": tmp_path_factory.mktemp("finished") / "cache"}


@pytest.fixture
def whole(bench: Any, finished: dict[str, Path]) -> Any:
    """A bench whose cache holds everything."""
    if not finished["cache"].exists():
        bench.run("before")
        shutil.copytree(bench.cache, finished["cache"])
    else:
        shutil.copytree(finished["cache"], bench.cache)
    return bench


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_harm_between_two_runs(whole: Any, reference: Any, harm: Harm) -> None:
    expected = reference(whole)
    lost = harm(whole.cache, random.Random(harm.__name__))
    left = whole.lines("outputs.jsonl")
    ended = whole.run()
    restored = whole.lines("outputs.jsonl") - left
    print(f"{lost} pictures lost, {restored} restored again")
    assert restored == lost
    expected.same(ended)
    # And it is whole again.
    again = whole.run("second")
    assert again.restored == 0
    expected.same(again)


def test_flipped_pictures_are_found_by_verify(whole: Any, reference: Any) -> None:
    expected = reference(whole)
    lost = flipped_pictures(whole.cache, random.Random(7))
    assert whole.command("cache", "verify").wait().status == 1
    assert whole.command("cache", "verify", "--repair").wait().status == 0
    ended = whole.run()
    assert ended.restored == lost
    expected.same(ended)


@pytest.mark.parametrize("harm", [no_pictures, no_cell, no_inputs, half_of_the_lines], ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("phase", ["restore slow+average on paired", "score (", "store pictures ("])
def test_harm_while_a_run_goes_on(bench: Any, reference: Any, harm: Harm, phase: str) -> None:
    expected = reference(bench)
    running = bench.start()
    running.until(lambda: f"\n{phase}" in running.said)
    harm(bench.cache, random.Random(f"{harm.__name__} {phase}"))
    ended = running.wait()
    print(f"it ended with the exit status {ended.status}: {ended.said[-600:]}")
    assert ended.status in (0, 1) and "Traceback" not in ended.said
    if ended.status == 0:
        assert set(ended.rows["status"]) == {"ok"}
    expected.same(bench.run())
