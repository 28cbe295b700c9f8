"""A picture of the data is cut short, replaced or removed while a run goes on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

LAST = "p013"


@pytest.fixture
def pairs(tmp_path: Path, data: Path) -> Path:
    """Pairs of its own, to be changed."""
    return Path(shutil.copytree(data / "pairs", tmp_path / "own" / "pairs"))


def harm(path: Path, how: str) -> None:
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:200])
    elif how == "replaced":
        shutil.copyfile(path.with_name("p000.png"), path)
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["truncated", "replaced", "removed"])
@pytest.mark.parametrize("which", ["rainy", "clear"])
def test_changed_while_restoring(open_bench: Any, reference: Any, pairs: Path, which: str, how: str) -> None:
    bench = open_bench("slow,slow+average", pairs=pairs)
    expected = reference(bench)
    path = pairs / which / f"{LAST}.png"
    before = path.read_bytes()
    running = bench.start()
    running.until(lambda: bench.lines("outputs.jsonl") >= 17)
    harm(path, how)
    ended = running.wait()
    assert ended.status == 1, ended.said
    rows = ended.rows
    lost = rows[rows["status"] != "ok"]
    print(f"{len(lost)} of {len(rows)} rows lost: {set(lost['method'])}: {set(lost['reason'])}")
    assert set(lost["image"]) == {LAST} and set(lost["status"]) == {"failed"}
    assert all(f"{LAST}.png" in reason for reason in lost["reason"])
    if which == "rainy":
        assert set(lost["method"]) == {"slow", "slow+average"}
    path.write_bytes(before)
    again = bench.run()
    expected.same(again)
    assert again.restored == (2 if which == "rainy" else 0)


@pytest.mark.parametrize("how", ["truncated", "removed"])
def test_changed_when_all_is_scored(open_bench: Any, reference: Any, pairs: Path, how: str) -> None:
    """Only the picture itself cannot be shown any more."""
    bench = open_bench("slow", pairs=pairs)
    expected = reference(bench)
    path = pairs / "rainy" / f"{LAST}.png"
    before = path.read_bytes()
    running = bench.start()
    # Between the last score and the copy of the picture; the first pictures are stored meanwhile.
    running.until(lambda: bench.lines("scores.jsonl") >= 56)
    harm(path, how)
    ended = running.wait()
    print(f"it ended with the exit status {ended.status}: {ended.said[-400:]}")
    assert ended.status in (0, 1) and "Traceback" not in ended.said
    assert set(ended.rows["status"]) == {"ok"}
    path.write_bytes(before)
    again = bench.run()
    assert again.restored == 0
    expected.same(again)
