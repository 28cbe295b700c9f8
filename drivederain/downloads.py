"""Fetch a file from an address: resumed where it stopped, bounded in time and size, checked against its SHA-256."""

from __future__ import annotations

import errno
import hashlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Final
from urllib.parse import urljoin, urlsplit

from filelock import FileLock

from drivederain.errors import WeightsError

TIMEOUT: Final = 30.0
"""Seconds that a server may be silent."""
SLOWEST: Final = 1000.0
"""Bytes a second that must come of the file at least, over each such time: a trickle is no better than silence."""
TRIES: Final = 4
PAUSE: Final = 1.0
"""Seconds before the second try; twice as many before each further one."""
MOST: Final = 8 * 10**9
"""Bytes of a file whose size is not recorded."""
CHUNK: Final = 1 << 18
HERE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""Errors of this machine's disk, which no other try mends."""
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

Progress = Callable[[int, int], None]
"""Told the bytes that have come and how many there will be (0: the server does not say)."""


class _Refused(Exception):
    """What another try would not change."""


def download(
    address: str,
    target: Path,
    *,
    sha256: str = "",
    size: int = 0,
    timeout: float = TIMEOUT,
    pause: float = PAUSE,
    progress: Progress = lambda done, total: None,
) -> str:
    """Fetch ``address`` to ``target`` and return the SHA-256 of what came.

    What has come is kept as ``NAME.part`` beside the target, and the next try, or the next call, goes on behind it,
    where the SHA-256 is known; without it nobody could tell whether the halves belong together.

    Args:
        address: ``https``; ``http`` of this machine only.
        target: the file; its folder is there.
        sha256: what the bytes must hash to, if known.
        size: in bytes, if known.
        timeout: seconds that the server may be silent, or slower than ``SLOWEST``.
        pause: seconds before the second try.
        progress: told how far it is.

    Raises:
        WeightsError: another scheme, no answer, a page instead of a file, too many bytes, or others than recorded.
    """
    _check(address)
    with FileLock(target.with_name(f".{target.name}.lock")):
        return _download(address, target, sha256, size, timeout, pause, progress)


def _download(
    address: str, target: Path, sha256: str, size: int, timeout: float, pause: float, progress: Progress
) -> str:
    part = target.with_name(f"{target.name}.part")
    if not sha256:
        part.unlink(missing_ok=True)
    for number in range(TRIES):
        if number:
            time.sleep(pause * 2 ** (number - 1))
        try:
            _fetch(address, part, size or MOST, timeout, progress, exact=size > 0)
            break
        except _Refused as error:
            if not sha256:
                part.unlink(missing_ok=True)
            raise WeightsError(f"{address}: {error}") from error
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, OSError) and (error.errno in HERE or (error.filename is not None and error.errno)):
                raise  # this machine's: its disk is full, its folder cannot be written
            if not sha256:
                part.unlink(missing_ok=True)
            if number + 1 == TRIES:
                kept = " What has come is kept, and the next try goes on behind it." if part.exists() else ""
                raise WeightsError(f"{address}: {_reason(error)} ({TRIES} tries).{kept}") from error
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 and found != sha256:
        part.unlink()
        raise WeightsError(
            f"{address}: what came is not the recorded file (SHA-256 {found[:12]}..., recorded {sha256[:12]}...). "
            "Nothing of it was kept."
        )
    part.replace(target)
    return found


def _check(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return
    raise WeightsError(f"{address}: only https addresses are fetched")


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """A redirection must not leave https, nor lead to this machine from elsewhere."""

    def http_error_302(
        self, request: urllib.request.Request, answer: IO[bytes], code: int, message: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        # As the library finds it: of servers that send no Location it takes the address from elsewhere.
        named = headers.get("Location") or headers.get("URI") or ""
        there = urljoin(request.full_url, named)
        parts, here = urlsplit(there), urlsplit(request.full_url)
        same = (parts.scheme, parts.hostname) == (here.scheme, here.hostname)
        if not same and (parts.scheme != "https" or parts.hostname in LOOPBACK):
            what = "this machine" if parts.scheme == "https" else "which is not https"
            raise _Refused(f"it redirects to {there[:200]}, {what}")
        return super().http_error_302(request, answer, code, message, headers)

    http_error_301 = http_error_302  # type: ignore[assignment]
    http_error_303 = http_error_302  # type: ignore[assignment]
    http_error_307 = http_error_302  # type: ignore[assignment]
    http_error_308 = http_error_302  # type: ignore[assignment]


def _fetch(address: str, part: Path, most: int, timeout: float, progress: Progress, *, exact: bool) -> None:
    """One try: append to ``part`` what is missing of it.

    Raises:
        _Refused: another try would end alike.
        OSError, HTTPException: it broke off.
    """
    have = part.stat().st_size if part.exists() else 0
    if have > most:
        part.unlink()
        have = 0
    if exact and have == most:
        return
    request = urllib.request.Request(
        address, headers={"User-Agent": "drivederain-bench", "Accept-Encoding": "identity"}
    )
    if have:
        request.add_header("Range", f"bytes={have}-")
    opener = urllib.request.build_opener(_NoDowngrade)
    try:
        with opener.open(request, timeout=timeout) as answer:
            _append(answer, part, have, most, timeout, progress, exact=exact)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing lies behind what is there: it was of another file
            part.unlink(missing_ok=True)
            raise OSError("the server has no such range") from error
        if error.code in (408, 425, 429) or error.code >= 500:
            raise
        raise _Refused(f"the server answers {error.code} {error.reason}") from error


def _append(
    answer: HTTPResponse, part: Path, have: int, most: int, timeout: float, progress: Progress, *, exact: bool
) -> None:
    if answer.headers.get_content_type() == "text/html":
        raise _Refused(
            "the server answers with a page, not with a file. Open the address in a browser, save the file, and give "
            "it with `drivederain-bench weights add METHOD FILE`"
        )
    if answer.status != 206:
        have = 0
    length = int(answer.headers.get("Content-Length") or 0)
    total = have + length if length else 0
    if total > most or (exact and total and total != most):
        raise _Refused(f"the file has {total} bytes, where {'' if exact else 'at most '}{most} are wanted")
    with part.open("ab" if have else "wb") as file:
        progress(have, total)
        looked, had = time.monotonic(), have
        while chunk := answer.read1(CHUNK):  # what is there; read() would wait for all of a chunk
            have += len(chunk)
            if have > most:
                raise _Refused(f"more than {most} bytes came")
            file.write(chunk)
            progress(have, total)
            if (passed := time.monotonic() - looked) >= timeout:
                if have - had < SLOWEST * passed:
                    raise OSError(f"only {have - had} bytes came in {passed:.0f} seconds")
                looked, had = time.monotonic(), have
        file.flush()
        os.fsync(file.fileno())
    if (total and have < total) or (exact and have < most):
        raise OSError(f"it broke off after {have} of {total or most} bytes")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    cause = getattr(error, "reason", error)
    return f"{type(cause).__name__}: {cause}" if isinstance(cause, Exception) else str(cause)
