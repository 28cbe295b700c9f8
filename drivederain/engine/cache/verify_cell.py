"""Check one cell: its pictures against their lines, its lines, and its key against its name. Repair it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivederain.engine.cache.cell_files import LINE_FILES, Lines, json_object, read_bytes, read_lines
from drivederain.engine.cache.findings import Findings, counted, file_problem, numbered
from drivederain.engine.cache.hashing import Hasher
from drivederain.engine.cache.layout import TEMPORARY, is_file, listed
from drivederain.engine.cache.removal import remove_folder
from drivederain.engine.keys import key_of
from drivederain.results.json_lines import record_of
from drivederain.results.run_folder import write_atomically


@dataclass
class CellCheck:
    """What was found, and what a repair would do."""

    folder: Path
    findings: Findings = field(default_factory=Findings)
    foreign: bool = False
    """``key.json`` is that of another cell: whose outputs these are is not known, so the whole cell must go."""
    unreadable: list[Path] = field(default_factory=list)
    """Files to remove: the next run writes or computes them anew."""
    lost: set[str] = field(default_factory=set)
    """Pictures whose lines must go, since their output is not the recorded one."""
    lines: Mapping[str, Lines] = field(default_factory=dict)

    def repair(self) -> None:
        """Take out what is damaged. The caller holds the cell's lock."""
        if self.foreign:
            remove_folder(self.folder)
        else:
            # Lines first: a picture without its line is harmless, a line without its picture is damage.
            for name, lines in self.lines.items():
                kept = [raw for raw, line in lines.good if name != "outputs.jsonl" or line["picture"] not in self.lost]
                if lines.broken or len(kept) < len(lines.good):
                    write_atomically(self.folder / name, b"".join(raw + b"\n" for raw in kept))
            for path in self.unreadable:
                path.unlink(missing_ok=True)
        self.findings.repaired()


def check_cell(folder: Path, hasher: Hasher) -> CellCheck:
    """Read everything in a cell.

    An output that was taken out since the method failed on its picture later is no damage; nor is a picture without a
    line, which is what a kill between the two leaves.
    """
    check = CellCheck(folder, lines={name: read_lines(folder / name, right) for name, right in LINE_FILES.items()})
    found = check.findings
    found.checked["cells"] += 1
    for name, lines in check.lines.items():
        if lines.broken:
            where = f"{'line' if len(lines.broken) == 1 else 'lines'} {numbered(lines.broken)}"
            found.damaged(folder / name, f"{counted(len(lines.broken), 'line')} cannot be read ({where})")
    _check_key(check)
    facts = folder / "facts.json"
    if facts.exists() and record_of(read_bytes(facts)) is None:
        found.damaged(facts, "cannot be read")
        check.unreadable.append(facts)
    _check_pictures(check, hasher)
    return check


def _check_key(check: CellCheck) -> None:
    file = check.folder / "key.json"
    if not file.exists():
        if any(lines.good for lines in check.lines.values()):
            check.findings.notes.append(
                f"cell {check.folder.name[:12]} has lost its key.json; the next run that uses it writes it"
            )
        return
    parts = json_object(read_bytes(file))
    if parts is None:
        check.findings.damaged(file, "cannot be read")
        check.unreadable.append(file)
    elif key_of(parts) != check.folder.name:
        check.findings.damaged(file, "does not hash to the name of its folder")
        check.foreign = True


def _check_pictures(check: CellCheck, hasher: Hasher) -> None:
    folder, found = check.folder / "pictures", check.findings
    recorded = {line["picture"]: line["sha256"] for _, line in check.lines["outputs.jsonl"].good}
    failed = {line["picture"]: line.get("status") != "ok" for _, line in check.lines["failures.jsonl"].good}
    if folder.is_symlink():
        found.damaged(folder, "is a link")
        check.unreadable.append(folder)
        check.lost |= recorded.keys()
        return
    there = {entry.name for entry in listed(folder) if is_file(entry) and not TEMPORARY.fullmatch(entry.name)}
    paths = [folder / f"{picture}.png" for picture in recorded]
    for (picture, sha256), path, hashed in zip(recorded.items(), paths, hasher.hash(paths), strict=True):
        problem = file_problem(path, sha256, hashed)
        if problem and not (hashed is None and failed.get(picture)):
            found.damaged(path, problem)
            check.lost.add(picture)
            check.unreadable.append(path)
    found.checked["pictures"] += len(recorded)
    orphans = sorted(there - {path.name for path in paths})
    if orphans:
        found.notes.append(
            f"cell {check.folder.name[:12]}: {counted(len(orphans), 'picture')} without a line, of a run that was "
            "killed between the two (harmless)"
        )
