"""A run's folder: where its files are and how they are read.

    runs/<name>/  run.json  events.jsonl  results.parquet  timings.parquet  pictures.parquet  images/  report/index.html

``images/<dataset>/<image>/`` holds ``rainy.png``, ``clear.png``, ``mask.png`` (where there are any) and one
``<method>.png`` for each chain, with characters unsafe in file names replaced (``folder_name``). The file
``images/manifest.jsonl`` lists them; ``report/previews/`` keeps the scaled-down ones of the last page.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from drivederain.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def folder_name(name: str) -> str:
    """``name`` with everything but letters, digits and ``+ - _ . @ =`` replaced, so that it stays inside its folder."""
    cleaned = re.sub(r"[^\w+\-.@=]", "_", name, flags=re.ASCII)
    return cleaned if cleaned.strip(".") else f"_{cleaned}"


_UMASK = os.umask(0)  # it can only be read by setting it; done once, before there are threads
os.umask(_UMASK)


@contextmanager
def atomic_file(path: Path, sync: bool = True) -> Iterator[IO[bytes]]:
    """A file to write under a temporary name in the same folder; fsynced and renamed to ``path`` at the end.

    Without ``sync`` it survives the end of the program, but maybe not the end of power: for what is checked later.

    Readers see the old file or the new one, whole. After an exception ``path`` is as it was and nothing else is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_UMASK)  # mkstemp makes files that only their owner may read
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_atomically(path: Path, data: bytes, sync: bool = True) -> None:
    """Write ``data`` to ``path`` as ``atomic_file`` does."""
    with atomic_file(path, sync) as file:
        file.write(data)


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
    def pictures_parquet(self) -> Path:
        return self.path / "pictures.parquet"

    @property
    def events_jsonl(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def report_html(self) -> Path:
        return self.path / "report" / "index.html"

    @property
    def previews(self) -> Path:
        """Scaled-down pictures that a report was made with, kept for the next one."""
        return self.path / "report" / "previews"

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

    def results(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """``results.parquet`` as a data frame with the columns of ``schema.RESULTS``, or with those named.

        Columns of text are categorical, since their values repeat: a row takes about 40 bytes. Group them with
        ``observed=True``.
        """
        return self._table(self.results_parquet, columns, dictionaries=True)

    def timings(self) -> pd.DataFrame:
        """``timings.parquet`` as a data frame with the columns of ``schema.TIMINGS``."""
        return self._table(self.timings_parquet)

    def pictures(self) -> pd.DataFrame:
        """``pictures.parquet`` as a data frame with the columns of ``schema.PICTURES``."""
        return self._table(self.pictures_parquet)

    def _table(self, path: Path, columns: Sequence[str] | None = None, dictionaries: bool = False) -> pd.DataFrame:
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        from drivederain.results.schema import RESULTS, SCHEMA_VERSION

        text = [field.name for field in RESULTS if pa.types.is_string(field.type)] if dictionaries else []
        try:
            with pq.ParquetFile(path, read_dictionary=text) as file:
                version = (file.schema_arrow.metadata or {}).get(b"schema_version", b"?").decode()
                if version != str(SCHEMA_VERSION):
                    raise DataError(
                        f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}. "
                        "Run the benchmark again."
                    )
                # A column at a time: codes of categories take a quarter of what Arrow holds of them.
                read = {}
                for name in columns or file.schema_arrow.names:
                    read[name] = file.read(columns=[name]).column(0).to_pandas()
                    if name in text:  # sorted once here, so that nobody has to sort them again
                        read[name] = read[name].cat.reorder_categories(sorted(read[name].cat.categories))
                return pd.DataFrame(read, copy=False)
        except FileNotFoundError:
            raise DataError(f"{path} is missing: the run did not finish. Start the same `run` command again.") from None
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path} is damaged ({error}). Start the same `run` command again to write it anew."
            ) from error
