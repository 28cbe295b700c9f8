"""What all tests share: quiet threads, no network, a cache of their own, and the way to the shared data."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

# Before anything imports torch, OpenCV or Hugging Face code, which read these when they are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def isolated_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that stands in for the user's cache in all tests and in the programs that they start."""
    folder = tmp_path_factory.mktemp("user-cache")
    os.environ["DRIVEDERAIN_CACHE"] = str(folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("DRIVEDERAIN_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data: ``DRIVEDERAIN_SHARED``, else ``../shared`` beside the checkout."""
    folder = Path(os.environ.get("DRIVEDERAIN_SHARED") or REPOSITORY.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared data at {folder}; set DRIVEDERAIN_SHARED to the folder that holds it")
    return folder


@dataclass
class FileServer:
    """What the server of files does, and what it was asked."""

    address: str = ""
    data: bytes = bytes(range(256)) * 4096
    breaks: list[int] = field(default_factory=list)
    """After so many bytes an answer breaks off; one for each answer, those that follow are whole."""
    ranges: bool = True
    status: int = 200
    kind: str = "application/octet-stream"
    location: str = ""
    location_header: str = "Location"
    silent: float = 0.0
    drips: float = 0.0
    """Seconds between any two bytes."""
    asked: list[str] = field(default_factory=list)
    """The ranges."""


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A server of this machine that sends one file, or breaks off, lies and changes its mind."""
    told = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            told.asked.append(wanted)
            time.sleep(told.silent)
            if told.location:
                self.send_response(302)
                self.send_header(told.location_header, told.location)
                self.end_headers()
                return
            first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and told.ranges else 0
            status = told.status if told.status != 200 else 206 if first else 200
            if first >= len(told.data) and first:
                status = 416
            body = told.data[first:] if status in (200, 206) else b""
            self.send_response(status)
            self.send_header("Content-Type", told.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            body = body[: told.breaks.pop(0)] if told.breaks else body
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked has enough
                for first in range(0, len(body), 1) if told.drips else ():
                    self.wfile.write(body[first : first + 1])
                    time.sleep(told.drips)
                if not told.drips:
                    self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Nothing is written between the tests' lines."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{httpd.server_port}/weights/net_latest.pth"
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield told
    httpd.shutdown()
    httpd.server_close()
