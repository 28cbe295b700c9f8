from __future__ import annotations

import json

import pytest

from drivederain.results.json_lines import line_of, record_of

RECORD = {"key": "k", "regions": {"image": 31.25, "drops": 20.5}}


def test_a_line_is_json_and_read_back() -> None:
    line = line_of(RECORD)
    assert b"\n" not in line
    assert {name: value for name, value in json.loads(line).items() if name != "crc"} == RECORD
    assert record_of(line) == RECORD


def test_every_flipped_bit_is_noticed() -> None:
    line = line_of(RECORD)
    for place in range(len(line)):
        for bit in range(8):
            flipped = bytearray(line)
            flipped[place] ^= 1 << bit
            assert record_of(bytes(flipped)) is None


def test_no_cut_gives_a_record() -> None:
    line = line_of(RECORD)
    assert all(record_of(line[:cut]) is None for cut in range(len(line)))


def test_names_that_are_no_unicode_and_ends_of_lines_survive() -> None:
    record = {"reason": "caf\udce9 \u2028 \n", "status": "failed"}
    assert record_of(line_of(record)) == record


@pytest.mark.parametrize(
    "line", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"crc":"00000000","key":1}', b'{"key":1}']
)
def test_what_is_no_record(line: bytes) -> None:
    assert record_of(line) is None
