"""What this program writes into the metadata of its safetensors files, with a check sum of the whole file. No torch.

The check sum is the SHA-256 of the file's bytes with zeros in its own place, so that it finds a bit that flipped
anywhere: in a tensor, in a shape, in what is said of the training.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

METADATA_KEY = "drivederain"
"""Under it lies one JSON object."""

_CHECKSUM = "sha256_with_zeros_here"
_PLACE = re.compile(rb'\\"' + _CHECKSUM.encode() + rb'\\": \\"([0-9a-f]{64})\\"')
"""JSON within JSON, so each quotation mark has a backslash."""
_ZEROS = "0" * 64


def metadata(about: Mapping[str, Any]) -> dict[str, str]:
    """The metadata of a file that is about to be made, with zeros for its check sum."""
    return {METADATA_KEY: json.dumps({**about, _CHECKSUM: _ZEROS}, sort_keys=True)}


def in_order(file: bytes) -> bytes:
    """The same safetensors file with its metadata sorted by key; safetensors writes several in no particular order."""
    begin = _data_from(file)
    header = json.loads(file[8:begin])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + file[begin:]


def with_checksum(file: bytes) -> bytes:
    """The bytes of a safetensors file that was made with ``metadata``, with the check sum in its place."""
    place = _place(file[: _data_from(file)])
    if place is None:
        raise ValueError("the file was not made with these metadata")
    return file[: place[0]] + hashlib.sha256(file).hexdigest().encode() + file[place[1] :]


def checksum_problem(path: Path) -> str:
    """Why a file of ``with_checksum`` is not what was written, or is none; "" where it is whole.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        length = file.read(8)
        header = length + file.read(min(_data_from(length), path.stat().st_size) - 8)
        place = _place(header)
        if place is None:
            return "damaged: it has no check sum"
        begin, end = place
        hashed = hashlib.sha256(header[:begin] + _ZEROS.encode() + header[end:])
        while part := file.read(2**20):
            hashed.update(part)
    return "" if hashed.hexdigest().encode() == header[begin:end] else "damaged: its check sum is another"


def about_in(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """What was said of the weights; empty in other people's files.

    Raises:
        ValueError: it is no JSON.
    """
    about = json.loads((metadata or {}).get(METADATA_KEY, "{}"))
    return {name: value for name, value in about.items() if name != _CHECKSUM} if isinstance(about, dict) else {}


def _data_from(file: bytes) -> int:
    """Where the tensors begin: behind eight bytes that say how long the header is, and the header."""
    return 8 + int.from_bytes(file[:8], "little")


def _place(header: bytes) -> tuple[int, int] | None:
    found = list(_PLACE.finditer(header))
    return found[0].span(1) if len(found) == 1 else None
