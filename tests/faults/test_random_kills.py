"""kill -9, Ctrl-C and SIGTERM at random moments of a run: while data are read, while rain is drawn, while methods load
and restore, while scores are computed, while rows and pictures are written. The seeds are the numbers of the tests.

A moment is a number of lines that the run has said, and some time after the last of them.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

KILLS = 25
STOPS = 6
TRIES = 6
"""Moments at which there may be nothing to kill, in a row."""
LAST_LINE = 16
"""Of what a run says, the last before its table: the pictures are stored."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def bench(open_bench: Any) -> Any:
    """14 pairs and 12 drawn pictures, a method and a refiner behind it: three workers that restore, and the scorer."""
    return open_bench("slow,slow+average", synthetic=True)


def moments(what: str, number: int, first_line: int = 0, last_line: int = LAST_LINE) -> Any:
    """Endless moments of the seed: lines, and seconds after them."""
    chosen = random.Random(f"{what} {number}")
    while True:
        line = chosen.randint(first_line, last_line)
        yield line, chosen.uniform(0, 3.0 if line == 0 else 1.2)


def reach(running: Any, moment: tuple[int, float]) -> bool:
    """Wait for a moment; false if the run ended before it."""
    lines, seconds = moment
    if not running.reaches(lambda: running.said.count("\n") >= lines):
        return False
    end = time.monotonic() + seconds
    return not running.reaches(lambda: time.monotonic() >= end) or not running.over


def where(running: Any) -> str:
    """The last line that was said."""
    return (running.said.strip().splitlines() or ["(nothing said yet)"])[-1].strip()


@pytest.mark.parametrize("number", range(KILLS))
def test_a_worker_dies_at_a_random_moment(bench: Any, reference: Any, number: int) -> None:
    expected = reference(bench)
    for moment in (each for each, _ in zip(moments("worker", number), range(TRIES), strict=False)):
        running = bench.start()
        workers: list[Any] = []
        if reach(running, moment):
            running.reaches(lambda: workers.extend(running.workers()) or workers)  # noqa: B023
        if workers:
            workers[0].kill()
            print(f"killed after: {where(running)}")
        ended = running.wait()
        assert ended.status == 0, ended.said
        expected.same(ended)
        if workers:
            assert ended.restored == expected.outputs
            return
        bench.forget()
    pytest.fail("no worker could be killed")


@pytest.mark.parametrize("number", range(KILLS))
def test_the_run_dies_at_a_random_moment(
    bench: Any, reference: Any, number: int, crowding: Callable[[], float]
) -> None:
    expected = reference(bench)
    for moment in (each for each, _ in zip(moments("run", number), range(TRIES), strict=False)):
        running = bench.start()
        if reach(running, moment):
            at, loading = where(running), len(running.workers())
            if running.kill().status == 128 + signal.SIGKILL:
                break
        running.wait()
        bench.forget()
    else:
        pytest.fail("the run could not be killed")
    seconds, crowded = bench.gone_after(), crowding()
    done = bench.lines("outputs.jsonl")
    print(f"killed after: {at}; {loading} workers, gone after {seconds:.2f} s (crowding {crowded:.1f}), {done} done")
    ended = bench.run()
    assert ended.restored == expected.outputs - done
    expected.same(ended)
    assert seconds < 2.0 * crowded


@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("number", range(STOPS))
def test_it_is_stopped_at_a_random_moment(
    bench: Any, reference: Any, kind: str, number: int, crowding: Callable[[], float]
) -> None:
    expected = reference(bench)
    status = {"SIGINT": 130, "SIGTERM": 143}[kind]
    # From its first line on: before, Python itself answers.
    for moment in (each for each, _ in zip(moments(kind, number, 1, 14), range(TRIES), strict=False)):
        running = bench.start()
        if reach(running, moment):
            at, slower, began = where(running), crowding(), time.monotonic()
            running.signal(signal.Signals[kind])
            ended = running.wait()
            if ended.status != 0:
                break
        running.wait()
        bench.forget()
    else:
        pytest.fail("the run could not be stopped")
    seconds = time.monotonic() - began
    print(f"stopped after: {at}; over after {seconds:.2f} s (crowding {slower:.1f})")
    assert ended.status == status and "stopped: what is done is kept. Go on with: " in ended.said, ended.said
    assert "Traceback" not in ended.said and not bench.left()
    done = bench.lines("outputs.jsonl")
    again = bench.run()
    assert again.restored == expected.outputs - done
    expected.same(again)
    assert seconds < 2.0 * slower
