"""Fetching files from a server of this machine that breaks off, lies and changes its mind."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivederain.downloads import TRIES, download
from drivederain.errors import WeightsError

DATA = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(DATA).hexdigest()


Fetch = Callable[..., str]


@pytest.fixture
def fetch(server: Any, tmp_path: Path) -> Fetch:
    def call(**more: object) -> str:
        arguments = {"sha256": SHA256, "size": len(DATA), "timeout": 5.0, "pause": 0.0} | more
        return download(server.address, tmp_path / "file", **arguments)  # type: ignore[arg-type]

    return call


def test_a_file_arrives_and_its_progress_is_told(fetch: Fetch, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    assert fetch(progress=lambda done, total: told.append((done, total))) == SHA256
    assert (tmp_path / "file").read_bytes() == DATA
    assert told[0] == (0, len(DATA)) and told[-1] == (len(DATA), len(DATA))
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["file"]


def test_what_broke_off_goes_on_where_it_stopped(fetch: Fetch, server: Any, tmp_path: Path) -> None:
    server.breaks = [300_000, 200_000]
    assert fetch() == SHA256
    assert server.asked == ["", "bytes=300000-", "bytes=500000-"]
    assert (tmp_path / "file").read_bytes() == DATA


def test_the_next_call_goes_on_behind_what_an_earlier_one_left(fetch: Fetch, server: Any, tmp_path: Path) -> None:
    server.breaks = [100_000, 1, 1, 1]
    with pytest.raises(WeightsError, match=rf"it broke off.*\({TRIES} tries\)\. What has come is kept"):
        fetch()
    assert not (tmp_path / "file").exists() and (tmp_path / "file.part").stat().st_size == 100_003
    assert fetch() == SHA256
    assert server.asked[-1] == "bytes=100003-"


def test_a_server_without_ranges_sends_all_of_it_again(fetch: Fetch, server: Any) -> None:
    server.breaks, server.ranges = [300_000], False
    assert fetch() == SHA256


def test_halves_are_not_joined_where_nobody_could_tell(fetch: Fetch, server: Any) -> None:
    server.breaks = [300_000]
    assert fetch(sha256="", size=0) == SHA256
    assert server.asked == ["", ""]


def test_another_file_than_the_recorded_one_is_not_kept(fetch: Fetch, server: Any, tmp_path: Path) -> None:
    server.data = DATA[::-1]
    with pytest.raises(WeightsError, match=r"is not the recorded file .*Nothing of it was kept"):
        fetch()
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


def test_what_is_left_of_a_larger_file_is_thrown_away(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(DATA + b"more")
    assert fetch() == SHA256


def test_a_rest_that_the_server_has_not_is_fetched_anew(fetch: Fetch, server: Any, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(bytes(len(DATA)))
    assert fetch(size=0) == SHA256
    assert server.asked == [f"bytes={len(DATA)}-", ""]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": 404}, "the server answers 404"),
        ({"status": 503}, r"503.*\(4 tries\)"),
        ({"kind": "text/html"}, "answers with a page, not with a file.*weights add METHOD FILE"),
        ({"data": DATA + b"more"}, "the file has 1048580 bytes, where 1048576 are wanted"),
        ({"location": "http://example.com/file"}, "redirects to http://example.com/file, which is not https"),
        ({"location": "file:///etc/hostname"}, "redirects to file:///etc/hostname, which is not https"),
        ({"location": "http://localhost/file"}, "redirects to http://localhost/file, which is not https"),
        (
            {"location": "http://example.com/file", "location_header": "URI"},
            "redirects to http://example.com/file, which is not https",
        ),
    ],
)
def test_a_server_that_has_no_such_file_is_quoted(
    fetch: Fetch, server: Any, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    for name, value in changes.items():
        setattr(server, name, value)
    with pytest.raises(WeightsError, match=words):
        fetch()
    assert not (tmp_path / "file").exists()


def test_a_file_without_a_recorded_size_is_bounded(
    fetch: Fetch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("drivederain.downloads.MOST", 1000)
    with pytest.raises(WeightsError, match="has 1048576 bytes, where at most 1000 are wanted"):
        fetch(size=0)
    assert not (tmp_path / "file").exists()


def test_a_silent_server_is_given_up(fetch: Fetch, server: Any) -> None:
    server.silent = 3.0
    began = time.monotonic()
    with pytest.raises(WeightsError, match="timed out"):
        fetch(timeout=0.2)
    assert time.monotonic() - began < 3 * TRIES


def test_a_trickle_is_given_up(fetch: Fetch, server: Any) -> None:
    server.drips = 0.01
    began = time.monotonic()
    with pytest.raises(WeightsError, match=r"only \d+ bytes came in \d+ seconds \(4 tries\)"):
        fetch(timeout=0.3)
    assert time.monotonic() - began < 3 * TRIES


@pytest.mark.parametrize("address", ["http://example.com/x", "ftp://example.com/x", "file:///etc/hostname"])
def test_only_https_is_fetched(address: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="only https addresses are fetched"):
        download(address, tmp_path / "file")
