"""Each method in a process of its own: what one does to its process costs its own cells and nothing else."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest

from drivederain.engine import run as run_module
from drivederain.engine.worker.inline import DEVICE_LOST
from drivederain.engine.worker.process import WorkerProcess, held_bytes, last_words


def rows(outcome: Any, method: str) -> Any:
    results = outcome.folder.results()
    return results[(results["method"] == method) & (results["metric"] == "psnr")]


def reasons(outcome: Any, method: str) -> dict[str, tuple[str, str]]:
    return {row.image: (row.status, row.reason) for row in rows(outcome, method).itertuples()}


@pytest.fixture
def odd(make_pairs: Any, tmp_path: Path) -> Path:
    """Three pairs; the last is of the width at which the bad methods misbehave."""
    return make_pairs(tmp_path / "odd" / "pairs", odd=(2,))


def test_processes_and_one_process_give_the_same_bytes(bench: Any, pairs: Path, tmp_path: Path, registry: Any) -> None:
    here = bench("brighten,brighten+average,noisy", f"paired:{pairs}")
    apart = type(bench)(tmp_path / "other", registry)(
        "brighten,brighten+average,noisy", f"paired:{pairs}", isolate=True
    )
    assert apart.folder.results_parquet.read_bytes() == here.folder.results_parquet.read_bytes()
    assert not (apart.folder.path / "logs").exists() or not list((apart.folder.path / "logs").iterdir())


def test_deaths_cost_their_picture_and_say_why(bench: Any, odd: Path) -> None:
    bad = "ends-its-process,reads-null,is-killed"
    outcome = bench(bad, f"paired:{odd}", isolate=True)
    assert outcome.exit_status == 1
    said = {}
    for name in bad.split(","):
        found = reasons(outcome, name)
        assert [found[image][0] for image in ("p000", "p001", "p002")] == ["ok", "ok", "failed"], name
        said[name] = found["p002"][1]
    assert said["ends-its-process"] == (
        "its process ended by itself with exit status 7 (it last printed: the driver is lost)"
    )
    assert said["reads-null"].startswith("its process was ended by SIGSEGV (it last printed: Fatal Python error")
    assert said["is-killed"] == "its process was ended by SIGKILL, as the system does when memory runs out"
    # A death of its own is the method's answer; one from outside is tried again.
    bench(bad, f"paired:{odd}", isolate=True)
    assert [phase for phase in bench.phases if phase.startswith("restore")] == ["restore is-killed on paired:pairs"]


def test_a_process_that_is_killed_is_replaced(
    bench: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "marks").mkdir()
    monkeypatch.setenv("DIES_ONCE", str(tmp_path / "marks"))
    outcome = bench("dies-once", f"paired:{pairs}", isolate=True)
    assert outcome.exit_status == 0 and outcome.restored_now == 6
    assert len(list((tmp_path / "marks").iterdir())) >= 2


def test_an_error_that_costs_the_device_costs_its_picture_alone(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    second_is_odd = make_pairs(tmp_path / "pairs", 4, odd=(1,))
    found = reasons(bench("loses-the-device", f"paired:{second_is_odd}", isolate=True), "loses-the-device")
    status, reason = found.pop("p001")
    assert status == "failed" and "device-side assert" in reason
    assert set(found.values()) == {("ok", "")}


def test_without_processes_a_lost_device_is_said(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    second_is_odd = make_pairs(tmp_path / "pairs", 4, odd=(1,))
    found = reasons(bench("loses-the-device", f"paired:{second_is_odd}", isolate=False), "loses-the-device")
    assert found["p000"] == ("ok", "") and "device-side assert" in found["p001"][1]
    assert found["p002"] == found["p003"] == ("failed", DEVICE_LOST)


def test_what_a_method_started_ends_with_its_worker(
    bench: Any, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEFT", str(tmp_path / "left"))
    assert bench("leaves-a-process", f"paired:{pairs}", isolate=True).exit_status == 0
    left = int((tmp_path / "left").read_text())
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


def test_the_last_words_are_those_of_this_process(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("Fatal Python error: Segmentation fault\n")
    begin = log.stat().st_size
    assert last_words(log, begin) == ""
    with log.open("a") as file:
        file.write("loading\nthe driver is lost\n")
    assert last_words(log, begin) == "the driver is lost"
    assert last_words(log, 0) == "Fatal Python error: Segmentation fault"


def test_what_was_not_tried_keeps_its_output(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    many = make_pairs(tmp_path / "pairs", 12)
    assert bench("slow", f"paired:{many}", isolate=False).exit_status == 0
    outputs = list((bench.folder / "cache").glob("cells/*/*/pictures/*.png"))
    # There is no time for any of them, so all stand as they were.
    outcome = bench("slow", f"paired:{many}", isolate=True, overwrite="always", method_timeout=0.5)
    assert outcome.restored_now < 12
    assert all(path.is_file() for path in outputs)
    assert {status for status, _ in reasons(outcome, "slow").values()} == {"ok"}


def test_a_method_that_dies_while_loading(bench: Any, pairs: Path) -> None:
    outcome = bench("dies-at-load,blur", f"paired:{pairs}", isolate=True)
    assert set(reasons(outcome, "dies-at-load").values()) == {
        ("failed", "while loading, its process ended by itself with exit status 9")
    }
    assert {status for status, _ in reasons(outcome, "blur").values()} == {"ok"}


def test_a_hang_that_hears_no_alarm_is_killed(bench: Any, odd: Path) -> None:
    began = time.monotonic()
    outcome = bench("hangs-in-c", f"paired:{odd}", isolate=True, timeout=1.0)
    assert time.monotonic() - began < 40
    found = reasons(outcome, "hangs-in-c")
    assert found["p002"] == ("timeout", "it took longer than 1 s for one picture (--timeout)")
    assert [found[image][0] for image in ("p000", "p001")] == ["ok", "ok"]
    # With as much time or less it would hang again; with more it is tried.
    assert bench("hangs-in-c", f"paired:{odd}", isolate=True, timeout=1.0).restored_now == 0
    assert "restore hangs-in-c on paired:pairs" not in bench.phases
    bench("hangs-in-c", f"paired:{odd}", isolate=True, timeout=1.5)
    assert "restore hangs-in-c on paired:pairs" in bench.phases


def test_a_method_has_so_much_time(bench: Any, make_pairs: Any, tmp_path: Path) -> None:
    many = make_pairs(tmp_path / "pairs", 16)
    outcome = bench("slow", f"paired:{many}", isolate=True, method_timeout=9.0)  # it would take 9.6 s and its start
    found = reasons(outcome, "slow")
    late = {image for image, (status, _) in found.items() if status == "timeout"}
    assert late and {found[image][1] for image in late} == {"the 9 s of its method were over (--method-timeout)"}
    # It is done with more time, so it is tried again.
    again = bench("slow", f"paired:{many}", isolate=False)
    assert again.restored_now == len(late)
    assert {status for status, _ in reasons(again, "slow").values()} == {"ok"}


def test_growing_past_the_memory_limit(bench: Any, odd: Path) -> None:
    outcome = bench("grows", f"paired:{odd}", isolate=True, memory_limit=1400 * 2**20)
    found = reasons(outcome, "grows")
    assert found["p002"][0] == "oom" and "over the limit of 1.4 GiB (--memory-limit)" in found["p002"][1]
    assert [found[image][0] for image in ("p000", "p001")] == ["ok", "ok"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is the resident set")
def test_mapped_files_are_not_held(tmp_path: Path) -> None:
    size, process = 2**27, psutil.Process()
    (tmp_path / "file").write_bytes(bytes(size))
    before, resident = held_bytes(process), process.memory_info().rss
    mapped = np.memmap(tmp_path / "file", dtype=np.uint8, mode="r")
    assert mapped.sum() == 0
    assert process.memory_info().rss - resident > size // 2
    assert held_bytes(process) - before < size // 4
    array = np.ones(size, np.uint8)
    assert held_bytes(process) - before > size // 2
    del array, mapped


def test_memory_that_is_short_makes_tiles(bench: Any, tmp_path: Path) -> None:
    """Only those of the size that needs them: a process that lost to a large picture says nothing of smaller ones."""
    root = tmp_path / "wide"
    for kind, seed in (("clear", 0), ("rainy", 1)):
        (root / kind).mkdir(parents=True)
        for name, width in (("a-wide", 1100), ("b-narrower", 700)):
            pixels = np.random.default_rng(seed).integers(0, 256, (16, width, 3), dtype=np.uint8)
            (root / kind / f"{name}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    (root / "intensity.csv").write_text("image,intensity\na-wide,heavy\nb-narrower,heavy\n")
    outcome = bench("grows-when-wide", f"paired:{root}", isolate=True, memory_limit=1400 * 2**20)
    assert reasons(outcome, "grows-when-wide") == {"a-wide": ("ok", ""), "b-narrower": ("ok", "")}
    assert list(rows(outcome, "grows-when-wide")["stepped_down"]) == ["tile 512", ""]
    assert set(rows(outcome, "identity")["stepped_down"]) == {""}


def test_training_that_kills_its_process(bench: Any, pairs: Path, make_pairs: Any, tmp_path: Path) -> None:
    other = make_pairs(tmp_path / "other", 3, first=10)
    outcome = bench("tiny-that-dies,blur", f"paired:{pairs}", isolate=True, train_data=f"paired:{other}")
    found = reasons(outcome, "tiny-that-dies")
    assert set(found.values()) == {("failed", "while training, its process ended by itself with exit status 4")}
    assert {status for status, _ in reasons(outcome, "blur").values()} == {"ok"}


def test_ctrl_c_ends_the_workers_at_once(
    bench: Any, pairs: Path, stops_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[WorkerProcess] = []
    init = WorkerProcess.__init__

    def noted(self: WorkerProcess, *arguments: Any) -> None:
        init(self, *arguments)
        started.append(self)

    monkeypatch.setattr(WorkerProcess, "__init__", noted)
    began: list[float] = []

    def interrupt() -> None:
        while not (started and bench.display.phases):
            time.sleep(0.05)
        began.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    # Where the tests were started in the background of a shell, the signal is ignored.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            bench("hangs", f"paired:{pairs}", isolate=True, timeout=None)
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert time.monotonic() - began[0] < 2
    assert started and not any(psutil.pid_exists(worker.pid) for worker in started)


def test_scoring_beside_the_last_method_gives_the_same_bytes(
    bench: Any, make_pairs: Any, tmp_path: Path, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = make_pairs(tmp_path / "pairs", 24)  # more than are timed alone
    here = bench("blur,brighten", f"paired:{pairs}")
    monkeypatch.setattr(run_module, "OVERLAPPING", {"cpu"})
    other = type(bench)(tmp_path / "other", registry)
    beside = other("blur,brighten", f"paired:{pairs}", isolate=True)
    assert "score" not in other.phases
    assert beside.folder.results_parquet.read_bytes() == here.folder.results_parquet.read_bytes()
