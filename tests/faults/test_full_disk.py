"""The disk fills up, at one point of the run or another. It needs a small tmpfs, and so the right to mount one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

NO_SPACE = "error: no space is left on the disk. Free some, or put --cache and --out elsewhere, and start again."
ENOUGH = "64m"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def bench(open_bench: Any) -> Any:
    return open_bench("slow,slow+average", synthetic=True)


@pytest.fixture(scope="session")
def needed() -> dict[str, int]:
    """Bytes that a whole run takes in its cache and in its own folder, once that is known."""
    return {}


def check(bench: Any, reference: Any, folder: Path, tmpfs: Any, needed: dict[str, int], percent: int) -> None:
    """Give a run less than it needs, a page at least, and then enough."""
    expected = reference(bench)
    if folder.name not in needed:
        tmpfs.mount(folder, ENOUGH)
        bench.run()
        needed[folder.name] = shutil.disk_usage(folder).used
        tmpfs.unmount(folder)
        bench.forget()
    pages = max(1, needed[folder.name] * percent // 100 // 4096)
    tmpfs.mount(folder, f"{pages}p")
    ended = bench.run(status=2)
    done = bench.lines("outputs.jsonl")
    last = ended.said.strip().splitlines()[-2:-1]
    print(f"{folder.name}: {percent} % of {needed[folder.name]} bytes; {done} outputs were done, the last line: {last}")
    assert NO_SPACE in ended.said and "Traceback" not in ended.said
    assert not bench.left()
    tmpfs.resize(folder, ENOUGH)
    again = bench.run()
    assert again.restored == expected.outputs - done
    expected.same(again)


@pytest.mark.parametrize("percent", [2, 10, 25, 40, 55, 70, 85, 95, 98])
def test_the_cache_is_on_a_full_disk(bench: Any, reference: Any, tmpfs: Any, needed: Any, percent: int) -> None:
    check(bench, reference, bench.cache, tmpfs, needed, percent)


@pytest.mark.parametrize("percent", [0, 2, 15, 50, 90, 97])
def test_the_run_is_on_a_full_disk(bench: Any, reference: Any, tmpfs: Any, needed: Any, percent: int) -> None:
    check(bench, reference, bench.out().parent, tmpfs, needed, percent)
