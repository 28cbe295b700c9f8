from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivederain.engine.doctor import storage
from drivederain.engine.doctor.storage import check_links, check_locks, check_space, check_writable

REMEDY = "give another with --cache"


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    there = check_writable("cache", tmp_path, REMEDY)
    assert there.status == "ok" and there.detail == f"{tmp_path} can be written"
    new = check_writable("cache", tmp_path / "a" / "b", REMEDY)
    assert new.status == "ok" and f"can be made in {tmp_path}" in new.detail
    assert not list(tmp_path.iterdir())


def test_a_read_only_folder(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        if sys.platform != "linux":
            pytest.skip("root may write everywhere")
        folder = Path("/proc/self")  # where not even root can make files
    else:
        folder = tmp_path
        folder.chmod(0o500)
    check = check_writable("cache", folder, REMEDY)
    folder.chmod(0o700) if folder == tmp_path else None
    assert check.fails and check.status == "broken" and str(folder) in check.detail and check.remedy == REMEDY


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    check = check_writable("cache", tmp_path, REMEDY)
    assert check.fails and os.strerror(errno.ENOSPC) in check.detail
    assert not list(tmp_path.iterdir())


def test_space(tmp_path: Path) -> None:
    assert check_space("cache space", tmp_path, 10_000_000_000).status == "ok"
    check = check_space("cache space", tmp_path, 100_000_000)
    assert check.fails and "0.1 GB free" in check.detail and "--cache" in check.remedy


def test_locks_hold(tmp_path: Path) -> None:
    check = check_locks(tmp_path / "not" / "there")
    assert check.status == "ok" and str(tmp_path) in check.detail
    assert not list(tmp_path.iterdir())


def test_locks_that_do_not_hold_or_do_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def given_to_all(path: Path, timeout: float) -> Iterator[None]:
        yield

    monkeypatch.setattr(storage, "FileLock", given_to_all)
    assert "given away again" in check_locks(tmp_path).detail

    def refused(*arguments: Any, **named: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(storage, "FileLock", refused)
    check = check_locks(tmp_path)
    assert check.status == "broken" and os.strerror(errno.ENOLCK) in check.detail and "local disk" in check.remedy
    assert not check.fails, "a single run does no harm"


def test_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    assert check_links(tmp_path / "cache", tmp_path / "runs").status == "ok"

    def other_file_system(self: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "hardlink_to", other_file_system)
    check = check_links(tmp_path / "cache", tmp_path / "runs")
    assert check.status == "missing" and not check.fails and "pictures are copied" in check.detail
    assert [path.name for path in tmp_path.rglob("*")] == ["cache"]
