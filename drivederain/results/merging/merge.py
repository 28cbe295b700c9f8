"""Joining runs into a new one: shards of one run, or runs of several people on the same data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from drivederain.errors import DataError
from drivederain.results.merging.comparable import Part, check_comparable, read_parts
from drivederain.results.merging.pictures import join_images
from drivederain.results.merging.record import joined_record
from drivederain.results.merging.tables import Joined, join_pictures, join_results, join_timings
from drivederain.results.run_folder import RunFolder, write_atomically

OnConflict = Literal["refuse", "first"]
SHOWN = 10
"""Conflicting rows in a message."""
REFERENCE = "identity"


@dataclass(frozen=True)
class Merged:
    """What was joined."""

    folder: RunFolder
    rows: int
    identical: int
    """Rows that more than one run has, and that are in the result once."""
    conflicting: int
    """Rows on which runs contradict each other; ``conflicts.jsonl`` in the folder lists them."""
    exit_status: int


def merge_runs(
    folders: Sequence[Path],
    out: Path,
    *,
    on_conflict: OnConflict = "refuse",
    command: Sequence[str] = (),
    advance: Callable[[int], None] = lambda done: None,
) -> Merged:
    """Join the runs in ``folders`` into the new run ``out``, whole or not at all. The report is made of it afterwards.

    Rows of the results, pictures and their list are those of all runs; identical ones once. All shards of a run give
    the bytes of the ``results.parquet`` that one run into a folder of this name writes.

    Args:
        on_conflict: where two runs have different rows of one score: ``refuse``, or keep the ``first`` run's and list
            the others in ``conflicts.jsonl``.
        advance: told the number of pictures that are done.

    Raises:
        DataError: ``out`` is there, a run is damaged, the runs are not comparable, one lacks pictures that another has
            of the same methods, or rows contradict each other; the message says what differs and what to do.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"--out {out} is there already. Give a new folder.")
    parts = read_parts(folders)
    check_comparable(parts)
    for part in parts:
        if out.resolve().is_relative_to(part.folder.path.resolve()):
            raise DataError(f"--out {out} lies in {part.folder.path}, which is joined. Give a folder outside of it.")
    # A name of its own, so that a merge that is refused or stopped leaves no run behind.
    work = RunFolder(out.with_name(f".{out.name}.merging"))
    shutil.rmtree(work.path, ignore_errors=True)
    try:
        merged = _merge(parts, work, out, on_conflict, command, advance)
        if out.exists():
            out.rmdir()
        work.path.rename(out)
    finally:
        shutil.rmtree(work.path, ignore_errors=True)
    return merged


def _merge(
    parts: Sequence[Part],
    work: RunFolder,
    out: Path,
    on_conflict: OnConflict,
    command: Sequence[str],
    advance: Callable[[int], None],
) -> Merged:
    name = RunFolder(out).name
    joined = join_results(parts, work, name)
    pictures = join_pictures(parts, work, joined)
    _refuse_holes(joined)
    if joined.conflicting and on_conflict == "refuse":
        shown = [f"  {conflict}" for conflict in joined.conflicts[:SHOWN]]
        more = joined.conflicting - len(shown)
        shown += [f"  and {more} more"] if more > 0 else []
        raise DataError(
            "\n".join(
                [
                    f"the runs contradict each other in {joined.conflicting} rows, so that one of them is not right:",
                    *shown,
                    "Run one of them again, or keep the first run's with --on-conflict first.",
                ]
            )
        )
    if joined.conflicting:
        lines = [asdict(conflict) | {"runs": list(map(str, conflict.runs))} for conflict in joined.conflicts]
        write_atomically(work.path / "conflicts.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    join_timings(parts, work)
    methods = list(dict.fromkeys(method["name"] for part in parts for method in part.about["methods"]))
    outputs = join_images(parts, work, pictures, methods, REFERENCE, advance)
    record = joined_record(parts, name, command, joined, pictures, outputs)
    write_atomically(work.run_json, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    event = {"event": "merged", "runs": [str(part.folder.path) for part in parts], "rows": joined.rows}
    write_atomically(work.events_jsonl, (json.dumps(event) + "\n").encode())
    return Merged(RunFolder(out), joined.rows, joined.identical, joined.conflicting, int(record["exit_status"]))


def _refuse_holes(joined: Joined) -> None:
    """Means of methods over different pictures must not stand in one table.

    Raises:
        DataError: a method was not run on all pictures of a data set that another one was run on.
    """
    every = dict.fromkeys(method for methods in joined.pictures_of.values() for method in methods)
    for (dataset, _), methods in sorted(joined.pictures_of.items()):
        most = max(methods, key=lambda name: methods[name][0])
        for method in every:
            if methods.get(method) != methods[most]:
                count = methods.get(method, (0, ""))[0]
                raise DataError(
                    f"{dataset}: of {method} there are {count} pictures, of {most} {methods[most][0]}"
                    f"{', other ones' if count == methods[most][0] else ''}. "
                    "Join runs that have the same methods or the same pictures: add the missing runs or shards."
                )
