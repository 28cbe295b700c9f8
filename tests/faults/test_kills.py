"""Three kills and two polite stops, each in the middle of the work. More of them: ``test_random_kills.py``."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

TWO = 2.0
"""Seconds in which a run is over after Ctrl-C, and in which workers are gone after their run was killed."""


@pytest.fixture
def bench(open_bench: Any) -> Any:
    """Pairs, ``identity`` and a method that takes a tenth of a second a picture."""
    return open_bench("slow")


def test_kill_9_of_a_worker(bench: Any, reference: Any) -> None:
    expected = reference(bench)
    running = bench.start()
    # 14 of identity first, then some of slow.
    running.until(lambda: bench.lines("outputs.jsonl") >= 18)
    (worker,) = running.workers()
    worker.kill()
    ended = running.wait()
    assert ended.status == 0, ended.said
    assert ended.restored == expected.outputs
    expected.same(ended)


def test_kill_9_of_the_run_while_restoring_and_again_while_storing(
    bench: Any, reference: Any, crowding: Callable[[], float]
) -> None:
    expected = reference(bench)
    running = bench.start()
    running.until(lambda: bench.lines("outputs.jsonl") >= 18)
    assert running.kill().status == 128 + signal.SIGKILL
    assert bench.gone_after() < TWO * crowding()
    done = bench.lines("outputs.jsonl")
    assert 18 <= done < expected.outputs

    running = bench.start()
    running.until(lambda: "\nstore pictures" in running.said)
    killed = running.kill()
    assert killed.status == 128 + signal.SIGKILL
    assert killed.restored == expected.outputs - done

    ended = bench.run()
    assert ended.restored == 0
    expected.same(ended)


def test_ctrl_c_and_sigterm(bench: Any, reference: Any, crowding: Callable[[], float]) -> None:
    expected = reference(bench)
    running = bench.start()
    running.until(lambda: bench.lines("outputs.jsonl") >= 17)
    stop(running, signal.SIGINT, 130, bench, crowding)
    done = bench.lines("outputs.jsonl")
    running = bench.start()
    running.until(lambda: "\nscore (" in running.said)
    stop(running, signal.SIGTERM, 143, bench, crowding)
    ended = bench.run()
    assert ended.restored == 0 and done < expected.outputs
    expected.same(ended)


def stop(running: Any, number: int, status: int, bench: Any, crowding: Callable[[], float]) -> None:
    slower = crowding()
    running.signal(number)
    ended = running.wait(TWO * slower + 1)
    assert ended.status == status, ended.said
    assert "stopped: what is done is kept. Go on with: drivederain-bench run --methods slow " in ended.said
    assert "Traceback" not in ended.said
    assert not bench.left()
