"""The clock of the machine jumps by hours, forwards and back, at every look at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

JUMPING = r"""
/* Laid over the C library (LD_PRELOAD): each look at the time of day is off by up to eight hours. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off(void) {
    static __thread unsigned seed;
    if (!seed) seed = (unsigned)getpid() * 2654435761u | 1u;
    return (long)(rand_r(&seed) % 57600u) - 28800;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, now);
    if (!status && clock == CLOCK_REALTIME) now->tv_sec += off();
    return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    int status = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return status;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
"""
DAY = "import datetime; print(sorted(datetime.datetime.now().timestamp() for _ in range(50)))"


@pytest.fixture
def jumping(tmp_path: Path) -> dict[str, str]:
    """An environment in which the clock jumps."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs Linux and a C compiler")
    (tmp_path / "jumping.c").write_text(JUMPING)
    library = tmp_path / "jumping.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, tmp_path / "jumping.c", "-ldl"], check=True, timeout=60
    )
    more = {"LD_PRELOAD": str(library)}
    said = subprocess.run(
        [sys.executable, "-c", DAY], env=os.environ | more, capture_output=True, text=True, check=True, timeout=60
    )
    looks = json.loads(said.stdout)
    assert looks[-1] - looks[0] > 3600
    return more


def test_a_clock_that_jumps(open_bench: Any, reference: Any, jumping: dict[str, str]) -> None:
    bench = open_bench("slow,slow+average", synthetic=True)
    expected = reference(bench)
    running = bench.start(**jumping)
    running.until(lambda: bench.lines("outputs.jsonl") >= expected.outputs // 2)
    running.kill()
    bench.gone_after()
    done = bench.lines("outputs.jsonl")
    ended = bench.run(**jumping)
    assert ended.restored == expected.outputs - done
    expected.same(ended)
    assert bench.command("cache", "verify").wait().status == 0
    # And with a good clock afterwards nothing is done twice.
    again = bench.run("second")
    assert again.restored == 0
    expected.same(again)
