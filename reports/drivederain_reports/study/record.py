"""Reading and writing the JSON files of a study, strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from drivederain.errors import DataError
from drivederain.results.run_folder import write_atomically

VERSION: Literal[1] = 1
"""Of all three files; raised when one of them changes."""
MOST_BYTES = 5_000_000
"""A file of answers takes 200 bytes a question."""


class Record(BaseModel):
    """Nothing unknown, nothing of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Kind = TypeVar("Kind", bound=Record)


def read_record(path: Path, kind: type[Kind], remedy: str) -> Kind:
    """The record in a file.

    Raises:
        DataError: it cannot be read or is no such record; the message names the file and ends with ``remedy``.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path} is too large for what it should hold. {remedy}")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({_reason(error)}). {remedy}") from error
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"][:4])
        raise DataError(f"{path}{f': {place}' if place else ''}: {first['msg']:.200}. {remedy}") from error


def write_record(path: Path, record: Record) -> None:
    """Write it whole or not at all."""
    write_atomically(path, (record.model_dump_json(indent=1) + "\n").encode("utf-8", "backslashreplace"))


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is no text"
