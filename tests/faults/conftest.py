"""Real runs of the command line in processes of their own, which the tests kill, starve and disturb.

A run is judged by ``same``: the bytes of its ``results.parquet`` and of every file under ``images/`` are those of a run
that nothing happened to. Its name is the last part of ``--out`` and stands in its rows, so every run is called ``run``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import psutil
import pytest

PLUGIN = "drivederain_fault_methods"
TOKEN = "DRIVEDERAIN_FAULT_TEST"
"""A variable of the environment by which a bench finds the processes that it started."""
SERVER = "drivederain.engine.worker.serve"
TEMPORARY = re.compile(r"\..+\.[A-Za-z0-9_]{8}")
"""Files that a process was writing when it was killed."""
LONG = 240.0
"""Seconds after which a run is taken for hung."""
RESULTS_KEY = ["dataset", "split", "method", "image", "region", "metric", "variant", "sample"]

Contents = Mapping[str, str]


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    status: int
    """As a shell gives it: 137 after SIGKILL."""
    said: str
    out: Path

    @property
    def contents(self) -> Contents:
        """SHA-256 of the results and of every picture, by their paths in the run's folder."""
        files = [self.out / "results.parquet", *(self.out / "images").rglob("*.png")]
        return {
            path.relative_to(self.out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.is_file() and not TEMPORARY.fullmatch(path.name)
        }

    @property
    def rows(self) -> pd.DataFrame:
        return pd.read_parquet(self.out / "results.parquet")

    @property
    def restored(self) -> int:
        """Pictures that the last run in this folder restored, over all stages of its chains."""
        lines = [json.loads(line) for line in (self.out / "events.jsonl").read_text().splitlines()]
        last = max(number for number, line in enumerate(lines) if line["event"] == "started")
        return sum(line["restored_now"] for line in lines[last:] if line["event"] == "restored")


def _hears_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Running:
    """A run that goes on."""

    def __init__(self, command: list[str], environment: Mapping[str, str], out: Path, log: Path) -> None:
        self.out, self.log = out, log
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=log.parent,
                start_new_session=True,
                preexec_fn=_hears_ctrl_c,
            )

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    def workers(self) -> list[psutil.Process]:
        """Its workers, the loaded and the loading."""
        with suppress(psutil.Error):
            return [
                child
                for child in psutil.Process(self.process.pid).children()
                if SERVER in _command(child) and child.status() != psutil.STATUS_ZOMBIE
            ]
        return []

    def reaches(self, condition: Callable[[], Any], seconds: float = LONG) -> bool:
        """Wait for a condition; false if the run ended before it came true."""
        end = time.monotonic() + seconds
        while not condition():
            if self.over:
                return bool(condition())
            assert time.monotonic() < end, f"it did not come to it in {seconds:g} s; it said:\n{self.said}"
            time.sleep(0.004)
        return True

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait for a condition, which must come true before the run ends."""
        assert self.reaches(condition), f"it ended ({self.process.returncode}) before; it said:\n{self.said}"

    def signal(self, number: int) -> None:
        """To the run and its process group, as a terminal does it; SIGKILL and SIGTERM to the run alone."""
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def kill(self) -> Ended:
        """Kill -9 of the run, not of its workers."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def wait(self, seconds: float = LONG) -> Ended:
        try:
            status = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the run did not end in {seconds:g} s; it said:\n{self.said}")
        return Ended(status if status >= 0 else 128 - status, self.said, self.out)


class Bench:
    """Runs of the command line on one cache and one set of data."""

    def __init__(self, folder: Path, plugin: Path, data: tuple[str, ...], methods: str) -> None:
        self.folder, self.data, self.methods = folder, data, methods
        self.cache = folder / "cache"
        self.token = uuid.uuid4().hex
        paths = [str(plugin), *filter(None, [os.environ.get("PYTHONPATH", "")])]
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(paths),
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            TOKEN: self.token,
        }
        self._logs = itertools.count()

    def out(self, parent: str = "first") -> Path:
        """Where a run is; all are called ``run``."""
        return self.folder / parent / "run"

    def start(self, parent: str = "first", *, methods: str = "", out: Path | None = None, **more: str) -> Running:
        """Start a run, with ``more`` in its environment."""
        out = out or self.out(parent)
        options = ["--methods", methods or self.methods, "--metrics", "psnr,ssim", "--clear-input", "0"]
        options += [word for data in self.data for word in ("--data", data)]
        return self._start(["run", *options, "--cache", str(self.cache), "--out", str(out)], out, more)

    def run(self, parent: str = "first", *, status: int | None = 0, **more: Any) -> Ended:
        """A run from its beginning to its end."""
        ended = self.start(parent, **more).wait()
        assert status is None or ended.status == status, ended.said
        return ended

    def command(self, *words: str) -> Running:
        """Another command on the same cache."""
        return self._start([*words, "--cache", str(self.cache)], self.folder, {})

    def _start(self, words: list[str], out: Path, more: Mapping[str, str]) -> Running:
        command = [sys.executable, "-m", "drivederain.cli.main", *words]
        return Running(command, self.environment | dict(more), out, self.folder / f"said-{next(self._logs)}.txt")

    def forget(self) -> None:
        """Remove the cache and all runs."""
        for folder in [path for path in self.folder.iterdir() if path.is_dir()]:
            shutil.rmtree(folder)

    def lines(self, file: str) -> int:
        """Whole lines in all files of this name in the cells."""
        return sum(_whole_lines(path) for path in self.cache.glob(f"cells/*/*/{file}"))

    def left(self) -> list[int]:
        """Processes that are still there, of all that were started here and by those."""
        return [process.pid for process in psutil.process_iter() if self._mine(process)]

    def gone_after(self, most: float = 20.0) -> float:
        """Seconds until no process is left."""
        began = time.monotonic()
        while self.left():
            assert time.monotonic() - began < most, f"processes {self.left()} are still there after {most:g} s"
            time.sleep(0.02)
        return time.monotonic() - began

    def end(self) -> list[int]:
        """End what is left, and say what that was."""
        left = self.left()
        for number in left:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        return left

    def _mine(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(TOKEN) == self.token and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def _whole_lines(path: Path) -> int:
    whole = 0
    with suppress(FileNotFoundError):
        for line in path.read_bytes().split(b"\n"):
            with suppress(ValueError):
                json.loads(line)
                whole += 1
    return whole


def _picture(number: int, height: int, width: int, strength: float) -> np.ndarray:
    rng = np.random.default_rng(number)
    coarse = (rng.random((4, 4, 3)) * 200 + 20).astype(np.uint8)
    clear = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(float)
    pattern = strength * ((np.arange(width) // 3 % 2)[None, :, None] * 2.0 - 1)
    return np.clip(np.rint(clear + pattern), 0, 255).astype(np.uint8)


def _write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH from which the test methods are found as an installed plugin is."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copyfile(Path(__file__).with_name("fault_methods.py"), folder / f"{PLUGIN}.py")
    about = folder / f"{PLUGIN}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PLUGIN}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[drivederain]\nfaults = {PLUGIN}\n")
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``pairs`` (14 of 24 x 32 pixels, intensities recorded) and ``photos`` (4 of 48 x 64). Nobody changes them."""
    folder = tmp_path_factory.mktemp("data")
    lines = ["image,intensity"]
    for number in range(14):
        _write(folder / "pairs" / "clear" / f"p{number:03d}.png", _picture(number, 24, 32, 0))
        _write(folder / "pairs" / "rainy" / f"p{number:03d}.png", _picture(number, 24, 32, 12 + number % 5))
        lines.append(f"p{number:03d},{('light', 'medium', 'heavy')[number % 3]}")
    (folder / "pairs" / "intensity.csv").write_text("\n".join(lines) + "\n")
    for number in range(4):
        _write(folder / "photos" / f"road{number}.png", _picture(100 + number, 48, 64, 0))
    return folder


Open = Callable[..., Bench]


@pytest.fixture
def open_bench(tmp_path: Path, plugin: Path, data: Path) -> Iterator[Open]:
    """``open_bench("slow")``: 14 pairs; ``synthetic=True``: 4 photos with rain drawn at three intensities too."""
    benches: list[Bench] = []

    def opened(methods: str, *, synthetic: bool = False, pairs: Path | None = None, folder: str = "bench") -> Bench:
        (tmp_path / folder).mkdir(exist_ok=True)
        sources = (f"paired:{pairs or data / 'pairs'}", *((f"synthetic:{data / 'photos'}",) if synthetic else ()))
        benches.append(Bench(tmp_path / folder, plugin, sources, methods))
        return benches[-1]

    yield opened
    left = {number for bench in benches for number in bench.end()}
    assert not left, f"processes were left behind: {left}"


@dataclass(frozen=True)
class Reference:
    """What a run gives that nothing happens to."""

    contents: Contents
    outputs: int
    lines: int
    """Of what it says."""

    def same(self, ended: Ended) -> None:
        """Check that a run gave the same, byte for byte."""
        contents = ended.contents
        assert contents.keys() == self.contents.keys(), set(contents) ^ set(self.contents)
        other = [path for path, sha256 in contents.items() if sha256 != self.contents[path]]
        assert not other, f"{len(other)} files differ: {other[:5]}"


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, plugin: Path, data: Path) -> Callable[[Bench], Reference]:
    """The reference for a bench: run once for the same methods and data."""
    known: dict[tuple[Any, ...], Reference] = {}

    def find(bench: Bench, methods: str = "") -> Reference:
        sources = tuple(
            f"{kind}:{data / Path(place).name}" for kind, _, place in (s.partition(":") for s in bench.data)
        )
        wanted = (methods or bench.methods, sources)
        if wanted not in known:
            apart = Bench(tmp_path_factory.mktemp("reference"), plugin, sources, wanted[0])
            ended = apart.run()
            rows = ended.rows
            assert set(rows["status"]) == {"ok"}
            assert not rows.duplicated(RESULTS_KEY).any()
            counts = Counter(rows.loc[rows["region"] == "image", "method"])
            assert len(set(counts.values())) == 1, counts
            known[wanted] = Reference(ended.contents, apart.lines("outputs.jsonl"), len(ended.said.splitlines()))
        return known[wanted]

    return find


@pytest.fixture
def crowding() -> Callable[[], float]:
    """How many times longer than on an idle machine things take just now: wall-clock over CPU time, 1 or more."""

    def measure() -> float:
        wall, busy = time.monotonic(), time.process_time()
        while time.process_time() - busy < 0.2:
            sum(range(1000))
        return max(1.0, (time.monotonic() - wall) / (time.process_time() - busy))

    return measure


@pytest.fixture
def sleep() -> Callable[[float], None]:
    return time.sleep


class Tmpfs:
    """Small file systems in memory."""

    def __init__(self) -> None:
        self.mounted: list[Path] = []

    def mount(self, folder: Path, size: str) -> None:
        """``size``: bytes, ``64m``, or ``20p`` for pages of 4096 bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        done = self._call("mount", "-t", "tmpfs", "-o", f"size={_bytes(size)}", "none", folder)
        if done:
            pytest.skip(f"a tmpfs cannot be mounted here: {done}")
        self.mounted.append(folder)

    def resize(self, folder: Path, size: str) -> None:
        assert not self._call("mount", "-o", f"remount,size={_bytes(size)}", folder)

    def read_only(self, folder: Path, *, off: bool = False) -> None:
        """Or to be written again, with ``off``."""
        assert not self._call("mount", "-o", f"remount,{'rw' if off else 'ro'}", folder)

    def unmount(self, folder: Path) -> None:
        assert not self._call("umount", "-l", folder)
        self.mounted.remove(folder)

    @staticmethod
    def _call(*words: str | Path) -> str:
        """What went wrong, or ""."""
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        except FileNotFoundError as error:
            return str(error)
        return done.stderr.strip() or f"exit status {done.returncode}" if done.returncode else ""


def _bytes(size: str) -> str:
    return str(4096 * int(size[:-1])) if size.endswith("p") else size


@pytest.fixture
def tmpfs() -> Iterator[Tmpfs]:
    """Mounts that are gone after the test."""
    made = Tmpfs()
    yield made
    for folder in list(made.mounted):
        made.unmount(folder)


@pytest.fixture
def read_only(tmpfs: Tmpfs, tmp_path: Path) -> Callable[[Path], Any]:
    """``with read_only(folder)``: nobody can write into it. Root can whatever the permissions say: hence a mount."""

    @contextmanager
    def locked(folder: Path) -> Iterator[None]:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid():
            folder.chmod(0o555)
            yield
            folder.chmod(0o755)
            return
        if folder not in tmpfs.mounted:
            kept = shutil.copytree(folder, tmp_path / f"kept-{uuid.uuid4().hex}")
            tmpfs.mount(folder, "64m")
            shutil.copytree(kept, folder, dirs_exist_ok=True)
        tmpfs.read_only(folder)
        yield
        tmpfs.read_only(folder, off=True)

    return locked
