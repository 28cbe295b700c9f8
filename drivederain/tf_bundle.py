"""Reading the checkpoints of TensorFlow 1 (``NAME.index`` beside ``NAME.data-00000-of-00001``) without TensorFlow.

The index is a table of LevelDB: blocks of sorted keys, each with what it has in common with the one before left out,
and a footer that says where the block of blocks is. Its values are messages of protocol buffers (``BundleEntryProto``:
type, shape, shard, offset, size) that say where in the data file a tensor lies, as it is in memory, little-endian. Only
numbers are read; nothing in these files can run.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from drivederain.errors import WeightsError

SUFFIX = ".index"
FOOTER, MAGIC = 48, 0xDB4775248B80FB57
"""Bytes at the end, and the number that they end with."""
TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}
"""Of ``types.proto``."""
MOST = 2**31
"""Bytes of a tensor; sizes in a damaged file may be anything."""


def read_bundle(index: Path) -> dict[str, Tensor]:
    """All tensors by name.

    Raises:
        WeightsError: a file is missing, damaged, compressed, or holds types that are no numbers.
    """
    try:
        entries = dict(_entries(index.read_bytes()))
        tensors = {name: _tensor(index, entry) for name, entry in entries.items() if entry.type in TYPES}
        if not tensors:
            raise ValueError("it names no tensor of numbers")
        return tensors
    except (IndexError, ValueError, KeyError, OverflowError, OSError, struct.error) as error:
        raise WeightsError(
            f"{index}: damaged, or no index of a TensorFlow checkpoint ({str(error)[:200]}). Fetch it again."
        ) from error


@dataclass
class _Entry:
    """Where a tensor lies."""

    type: int = 0
    shape: list[int] = field(default_factory=list)
    shard: int = 0
    offset: int = 0
    size: int = 0
    checksum: int = 0
    """CRC-32C of the tensor's bytes, masked."""


def _tensor(index: Path, entry: _Entry) -> Tensor:
    named = re.compile(re.escape(index.name.removesuffix(SUFFIX)) + r"\.data-\d{5}-of-\d{5}")
    shards = sorted(each for each in index.parent.iterdir() if named.fullmatch(each.name))
    if entry.shard >= len(shards):
        raise WeightsError(
            f"{index}: the file of the tensors is not beside it ({index.stem}.data-00000-of-00001). Put it there."
        )
    kind = np.dtype(TYPES[entry.type])
    if math.prod(entry.shape) * kind.itemsize != entry.size or not 0 <= entry.size <= MOST:
        raise ValueError(f"a tensor of shape {entry.shape} has {entry.size} bytes")
    with shards[entry.shard].open("rb") as file:
        file.seek(entry.offset)
        data = file.read(entry.size)
    if len(data) != entry.size:
        raise WeightsError(f"{shards[entry.shard]}: it ends too early. Fetch it again.")
    if masked_crc32c(data) != entry.checksum:
        raise WeightsError(f"{shards[entry.shard]}: damaged (a tensor has another check sum). Fetch it again.")
    return torch.from_numpy(np.frombuffer(data, kind).reshape(entry.shape).copy())


def _entries(table: bytes) -> Iterator[tuple[str, _Entry]]:
    """The tensors that the index names."""
    if len(table) < FOOTER or struct.unpack("<Q", table[-8:])[0] != MAGIC:
        raise ValueError("it does not end as such a file does")
    at = len(table) - FOOTER
    for _ in range(2):  # where the meta block is
        _, at = _varint(table, at)
    start, at = _varint(table, at)
    size, _ = _varint(table, at)
    for _, handle in _block(table, start, size):
        start, at = _varint(handle, 0)
        size, _ = _varint(handle, at)
        for key, value in _block(table, start, size):
            if key:  # the first is the header
                yield key.decode("utf-8"), _entry(value)


def _block(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block."""
    if start + size + 5 > len(table):
        raise ValueError("a block lies outside of it")
    if table[start + size] != 0:
        raise ValueError("its blocks are compressed")
    block = table[start : start + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    end, at, key = size - 4 * (restarts + 1), 0, b""
    if end < 0:
        raise ValueError("a block has more entries than room")
    while at < end:
        common, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        if common > len(key) or at + own + length > end:
            raise ValueError("an entry lies outside of its block")
        key = key[:common] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _entry(message: bytes) -> _Entry:
    entry = _Entry()
    for number, value in _fields(message):
        if number == 1 and isinstance(value, int):
            entry.type = value
        elif number == 2 and isinstance(value, bytes):
            dimensions = [each for inner, each in _fields(value) if inner == 2 and isinstance(each, bytes)]
            entry.shape = [
                next((v for n, v in _fields(each) if n == 1 and isinstance(v, int)), 0) for each in dimensions
            ]
        elif number == 3 and isinstance(value, int):
            entry.shard = value
        elif number == 4 and isinstance(value, int):
            entry.offset = value
        elif number == 5 and isinstance(value, int):
            entry.size = value
        elif number == 6 and isinstance(value, int):
            entry.checksum = value
    return entry


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a message of protocol buffers, by number: whole numbers and strings of bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif kind == 2:
            length, at = _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind in (1, 5):
            width = 8 if kind == 1 else 4
            yield tag >> 3, int.from_bytes(message[at : at + width], "little")
            at += width
        else:
            raise ValueError("a field of an unknown kind")


def masked_crc32c(data: bytes) -> int:
    """The check sum of TensorFlow's files: CRC-32C (Castagnoli), rotated and offset (``crc32c.h``)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC32C[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        entries.append(crc)
    return tuple(entries)


_CRC32C = _table()


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number without an end")
