"""Two runs at once on one cache, and commands that change the cache under a run."""

from __future__ import annotations

import random
import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

METHODS = "slow,slow+average"


@pytest.fixture
def bench(open_bench: Any) -> Any:
    return open_bench(METHODS, synthetic=True)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 3.0])
def test_the_same_run_twice_at_once(bench: Any, reference: Any, seconds: float, sleep: Any) -> None:
    expected = reference(bench)
    one = bench.start("one")
    sleep(seconds)
    two = bench.start("two")
    ended = [one.wait(), two.wait()]
    assert [each.status for each in ended] == [0, 0], [each.said for each in ended]
    print(f"restored by one and by the other: {[each.restored for each in ended]}")
    assert sum(each.restored for each in ended) == expected.outputs == bench.lines("outputs.jsonl")
    for each in ended:
        expected.same(each)


def test_other_methods_with_the_same_beginning(bench: Any, reference: Any) -> None:
    first, second = "slow+average", "brighten,slow"
    expected = reference(bench, first), reference(bench, second)
    running = bench.start("one", methods=first), bench.start("two", methods=second)
    ended = [each.wait() for each in running]
    assert [each.status for each in ended] == [0, 0], [each.said for each in ended]
    # identity, slow, slow+average and brighten, each picture once.
    assert sum(each.restored for each in ended) == 4 * 26 == bench.lines("outputs.jsonl")
    for known, each in zip(expected, ended, strict=True):
        known.same(each)


@pytest.mark.parametrize("killed", [0, 1])
@pytest.mark.parametrize("number", range(3))
def test_one_of_two_is_killed(bench: Any, reference: Any, killed: int, number: int) -> None:
    expected = reference(bench)
    running = [bench.start("one"), bench.start("two")]
    lines = random.Random(f"{killed} {number}").randrange(expected.outputs - 3)
    running[killed].until(lambda: bench.lines("outputs.jsonl") >= lines)
    assert running[killed].kill().status == 128 + signal.SIGKILL
    other = running[1 - killed].wait()
    assert other.status == 0, other.said
    expected.same(other)
    assert bench.lines("outputs.jsonl") == expected.outputs
    again = bench.run(("one", "two")[killed])
    assert again.restored == 0
    expected.same(again)


def test_two_runs_into_one_folder(bench: Any, reference: Any) -> None:
    expected = reference(bench)
    one = bench.start()
    one.until(lambda: "restore identity" in one.said)
    two = bench.start().wait()
    assert two.status == 2 and str(bench.out()) in two.said and "another run" in two.said, two.said
    ended = one.wait()
    assert ended.status == 0, ended.said
    expected.same(ended)
    expected.same(bench.run())


@pytest.mark.parametrize("words", [("prune", "--all", "--yes"), ("verify", "--repair"), ("verify",)], ids=" ".join)
@pytest.mark.parametrize("phase", ["restore slow on paired", "restore slow+average on paired", "score ("])
def test_the_cache_is_pruned_or_verified_meanwhile(
    bench: Any, reference: Any, words: tuple[str, ...], phase: str
) -> None:
    expected = reference(bench)
    running = bench.start()
    running.until(lambda: f"\n{phase}" in running.said)
    command = bench.command("cache", *words).wait()
    assert command.status == 0 and "Traceback" not in command.said, command.said
    ended = running.wait()
    print(f"{command.said[-300:]}\nthe run ended with {ended.status}: {ended.said[-500:]}")
    assert "Traceback" not in ended.said
    assert ended.status == 0
    expected.same(ended)
    if words[0] == "verify":
        assert ended.restored == expected.outputs
    again = bench.run()
    expected.same(again)
    assert bench.command("cache", "verify").wait().status == 0
