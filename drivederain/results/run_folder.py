"""A run's folder: where its files are and how they are read.

    runs/<name>/  run.json  events.jsonl  results.parquet  timings.parquet  images/  report/index.html

``images/<dataset>/<image>/`` holds ``rainy.png``, ``clear.png``, ``mask.png`` (where there are any) and one
``<method>.png`` for each chain, with characters unsafe in file names replaced (``folder_name``).
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivederain.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def folder_name(name: str) -> str:
    """``name`` with everything but letters, digits and ``+ - _ . @ =`` replaced, so that it stays inside its folder."""
    cleaned = re.sub(r"[^\w+\-.@=]", "_", name, flags=re.ASCII)
    return cleaned if cleaned.strip(".") else f"_{cleaned}"


_UMASK = os.umask(0)  # it can only be read by setting it; done once, before there are threads
os.umask(_UMASK)


def write_atomically(path: Path, data: bytes) -> None:
    """Write to a temporary name in the same folder, fsync, rename: readers see the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_UMASK)  # mkstemp makes files that only their owner may read
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class RunFolder:
    """Paths and readers of one run."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def run_json(self) -> Path:
        return self.path / "run.json"

    @property
    def results_parquet(self) -> Path:
        return self.path / "results.parquet"

    @property
    def timings_parquet(self) -> Path:
        return self.path / "timings.parquet"

    @property
    def events_jsonl(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def report_html(self) -> Path:
        return self.path / "report" / "index.html"

    def image_folder(self, dataset: str, image: str) -> Path:
        return self.path / "images" / folder_name(dataset) / folder_name(image)

    def output_png(self, dataset: str, image: str, method: str) -> Path:
        return self.image_folder(dataset, image) / f"{folder_name(method)}.png"

    def about(self) -> dict[str, Any]:
        """``run.json``.

        Raises:
            DataError: the folder is no run, or ``run.json`` is damaged.
        """
        try:
            return dict(json.loads(self.run_json.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise DataError(
                f"{self.path} is not a run: it has no run.json. Give the folder that `run --out` wrote."
            ) from None
        except (json.JSONDecodeError, TypeError, ValueError) as error:
            raise DataError(
                f"{self.run_json} is damaged ({error}). Run the benchmark again with the same --out."
            ) from error

    def results(self) -> pd.DataFrame:
        """``results.parquet`` as a data frame with the columns of ``schema.RESULTS``."""
        return self._table(self.results_parquet)

    def timings(self) -> pd.DataFrame:
        """``timings.parquet`` as a data frame with the columns of ``schema.TIMINGS``."""
        return self._table(self.timings_parquet)

    def _table(self, path: Path) -> pd.DataFrame:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from drivederain.results.schema import SCHEMA_VERSION

        try:
            table = pq.read_table(path)
        except FileNotFoundError:
            raise DataError(f"{path} is missing: the run did not finish. Start the same `run` command again.") from None
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(
                f"{path} is damaged ({error}). Start the same `run` command again to write it anew."
            ) from error
        version = (table.schema.metadata or {}).get(b"schema_version", b"?").decode()
        if version != str(SCHEMA_VERSION):
            raise DataError(
                f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}. Run the benchmark again."
            )
        return table.to_pandas()
