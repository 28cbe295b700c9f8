"""Read everything in a cache and say what is not as it was written; with ``repair`` take it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from drivederain.engine.cache.cell_files import plain_name, read_bytes
from drivederain.engine.cache.cell_lock import in_use, try_lock
from drivederain.engine.cache.findings import Findings, counted, file_problem
from drivederain.engine.cache.hashing import Hasher
from drivederain.engine.cache.layout import HASH
from drivederain.engine.cache.removal import remove
from drivederain.engine.cache.survey import CellEntry, Entry, Survey
from drivederain.engine.cache.verify_cell import check_cell
from drivederain.engine.cache.weights_files import weights_problem
from drivederain.results.json_lines import record_of
from drivederain.specs import INTENSITIES


def steps(found: Survey) -> int:
    """What ``verify`` counts up to."""
    return sum(1 + cell.pictures for cell in found.cells) + len(found.others)


def verify(found: Survey, *, repair: bool = False, advance: Callable[[int], None] = lambda done: None) -> Findings:
    """Check every cell, input, content, stratum and weights file.

    Args:
        repair: take out what is damaged, so that it is computed again; damaged weights are put aside.
        advance: told how much is done, up to ``steps``.

    Raises:
        OSError: something damaged cannot be taken out.
    """
    findings, done = Findings(), 0
    with Hasher() as hasher:
        for cell in found.cells:
            findings.add(_cell(cell, hasher, repair))
            done += 1 + cell.pictures
            advance(done)
        for entry in found.others:
            findings.add(_other(entry, hasher, repair))
            done += 1
            advance(done)
    if found.leftovers:
        findings.notes.append(
            f"{counted(len(found.leftovers), 'leftover')} of killed processes (`cache prune` takes them out)"
        )
    findings.notes += [f"{link.relative_to(found.cache).as_posix()} is a link: not followed" for link in found.links]
    return findings


def _cell(cell: CellEntry, hasher: Hasher, repair: bool) -> Findings:
    if not cell.path.is_dir():  # taken out since the cache was looked through
        return Findings()
    if not repair:
        if in_use(cell.path):
            return Findings(in_use=[cell.path])
        findings = check_cell(cell.path, hasher).findings
        # A run that began meanwhile writes pictures before their lines, and that is not damage.
        return Findings(in_use=[cell.path]) if findings.damages and in_use(cell.path) else findings
    lock = try_lock(cell.path)
    if lock is None:
        return Findings(in_use=[cell.path])
    try:
        check = check_cell(cell.path, hasher)
        if check.findings.damages:
            check.repair()
    finally:
        lock.release()
    return check.findings


def _other(entry: Entry, hasher: Hasher, repair: bool) -> Findings:
    findings = Findings()
    findings.checked[entry.kind] += 1
    if entry.kind == "inputs":
        _input(entry.path, hasher, findings)
    elif entry.kind == "weights":
        problem = weights_problem(entry.path)
        if problem:
            findings.damaged(entry.path, problem)
    elif entry.path.is_file():
        right = _is_content if entry.kind == "contents" else _is_stratum
        if not right(entry.path):
            findings.damaged(entry.path, "cannot be read")
    if findings.damages and repair:
        if entry.kind == "weights":
            entry.path.replace(entry.path.with_suffix(".damaged"))  # as a run does that meets them
        else:
            remove(entry.kind, entry.path)
        findings.repaired()
    return findings


def _input(folder: Path, hasher: Hasher, findings: Findings) -> None:
    """``parameters.json`` is written last and has the SHA-256 of each picture."""
    file = folder / "parameters.json"
    if not file.exists():
        if folder.is_dir():
            findings.notes.append(f"input {folder.name[:12]} is unfinished (harmless: it is drawn again)")
        return
    record = record_of(read_bytes(file)) or {}
    files = record.get("files")
    if not isinstance(files, dict) or not isinstance(record.get("parameters"), dict):
        findings.damaged(file, "cannot be read")
        return
    if not all(plain_name(name) for name in files):
        findings.damaged(file, "names a file outside its folder")
        return
    paths = [folder / name for name in files]
    for path, sha256, hashed in zip(paths, files.values(), hasher.hash(paths), strict=True):
        if problem := file_problem(path, sha256, hashed):
            findings.damaged(path, problem)


def _is_content(path: Path) -> bool:
    """``drivederain.data.content.Content``."""
    record = record_of(read_bytes(path)) or {}
    sides = [record.get("height"), record.get("width")]
    sha256 = record.get("sha256")
    whole = all(type(side) is int and side > 0 for side in sides)
    return whole and isinstance(sha256, str) and HASH.fullmatch(sha256) is not None


def _is_stratum(path: Path) -> bool:
    """``drivederain.data.intensity.KnownIntensity``."""
    record = record_of(read_bytes(path)) or {}
    known = record.get("intensity") in INTENSITIES and isinstance(record.get("borderline"), bool)
    return known and isinstance(record.get("source"), str)
