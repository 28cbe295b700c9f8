"""--out or --cache cannot be written: one line that names the folder and what to do, and nothing lost."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def bench(open_bench: Any) -> Any:
    return open_bench("slow")


def refused(ended: Any, folder: Any) -> None:
    print(ended.said)
    assert str(folder) in ended.said.splitlines()[-1]
    assert ended.said.splitlines()[-1].startswith("error: ") and "Traceback" not in ended.said
    # What to do.
    assert "permission" in ended.said or "Give a folder that can be written" in ended.said


def test_out_is_read_only_from_the_beginning(bench: Any, reference: Any, read_only: Any) -> None:
    expected = reference(bench)
    folder = bench.out().parent
    with read_only(folder):
        refused(bench.run(status=2), folder)
    assert bench.lines("outputs.jsonl") == 0
    expected.same(bench.run())


def test_out_turns_read_only_after_a_run(bench: Any, reference: Any, read_only: Any) -> None:
    expected = reference(bench)
    bench.out().mkdir(parents=True)
    with read_only(bench.out()):
        refused(bench.run(status=2), bench.out())
    expected.same(bench.run())


def test_the_cache_is_read_only_from_the_beginning(bench: Any, reference: Any, read_only: Any) -> None:
    expected = reference(bench)
    with read_only(bench.cache):
        refused(bench.run(status=2), bench.cache)
    expected.same(bench.run())


def test_the_cache_turns_read_only_half_way(bench: Any, reference: Any, read_only: Any) -> None:
    expected = reference(bench)
    running = bench.start()
    running.until(lambda: bench.lines("outputs.jsonl") >= 18)
    running.kill()
    bench.gone_after()
    done = bench.lines("outputs.jsonl")
    with read_only(bench.cache):
        refused(bench.run(status=2), bench.cache)
    ended = bench.run()
    assert ended.restored == expected.outputs - done
    expected.same(ended)
