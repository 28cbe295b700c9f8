"""Lines of JSON that carry their own check sum: ``{"crc":"0c3f01aa","key":...}``. The cache keeps its JSON so.

The CRC-32 (zlib) is of the line's bytes as they would be without it. It finds what a disk did to a line and JSON still
allows: a digit of a score.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

_CHECKED = re.compile(rb'\{"crc":"([0-9a-f]{8})",')


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; the same for equal values on every machine."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def line_of(record: Mapping[str, Any]) -> bytes:
    """The line of a record that is not empty, without an end of line."""
    plain = canonical(record).encode("utf-8", "backslashreplace")
    return b'{"crc":"%08x",' % zlib.crc32(plain) + plain[1:]


def record_of(line: bytes) -> dict[str, Any] | None:
    """The record of a line; ``None`` where it is cut off, damaged, or was not written by ``line_of``."""
    checked = _CHECKED.match(line)
    if not checked:
        return None
    plain = b"{" + line[checked.end() :]
    if zlib.crc32(plain) != int(checked[1], 16):
        return None
    value: dict[str, Any] = json.loads(plain.decode("utf-8"))
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | set | frozenset):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
