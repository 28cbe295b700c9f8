"""Tables as CSV, JSON and Parquet."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def csv_file(frame: pd.DataFrame) -> bytes:
    """RFC 4180 in UTF-8 with ``\\n``; empty where a value is missing, ``inf`` where it is infinite.

    Text that a spreadsheet would run as a formula gets an apostrophe in front, since names come from files and plugins
    (OWASP, *CSV Injection*).
    """
    safe = frame.copy()
    for column in safe.columns:
        if safe[column].dtype == object or str(safe[column].dtype) in ("category", "str", "string"):
            safe[column] = safe[column].astype(object).map(_not_a_formula)
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8", "replace")


def _not_a_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def json_file(frame: pd.DataFrame) -> bytes:
    """A list of objects, one a row; ``null`` where a value is missing, ``"inf"`` or ``"-inf"`` where it is infinite.

    JSON knows no infinite numbers, and what is infinite (PSNR of identical pictures) is not missing.
    """
    rows = [{str(name): _plain(value) for name, value in record.items()} for record in frame.to_dict("records")]
    return (json.dumps(rows, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


def _plain(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool | str):
        return value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else "inf" if value > 0 else "-inf"
    return value


def parquet_file(frame: pd.DataFrame) -> bytes:
    """Parquet, compressed by zstd, without an index."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
