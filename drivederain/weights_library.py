"""The user's library of other people's weights: fetched from their address, or added from a file.

``<cache>/library/<method>/<name>/`` holds the file and ``about.json``, which says where it is from and its SHA-256. A
method that has one of them there is loaded with it; of several, ``--weights METHOD=NAME`` chooses.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from drivederain.downloads import TIMEOUT, Progress, download
from drivederain.errors import WeightsError
from drivederain.specs import NAME, MethodSpec, WeightsSpec

ABOUT = "about.json"
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}")
"""File names that are kept as they are."""
BUNDLE, SHARD = ".index", ".data-00000-of-00001"
"""Of TensorFlow's checkpoints, whose tensors lie in files beside it."""


@dataclass(frozen=True)
class LibraryEntry:
    """One file of weights in the library."""

    method: str
    name: str
    file: str
    sha256: str
    bytes: int
    weights_class: Literal["official", "given"]
    licence: str = ""
    trained_on: str = ""
    source: str = ""
    """The address, or the name of the file that was added."""
    recorded: bool = False
    """The SHA-256 is that which the method's plugin names; otherwise the one that the file had when it came."""
    beside: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the files that belong to it, by name: those of the tensors of a TensorFlow checkpoint."""


class WeightsLibrary:
    """What lies in the library of a cache."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "library"

    def path(self, entry: LibraryEntry) -> Path:
        return self.folder / entry.method / entry.name / entry.file

    def entries(self, method: str = "") -> list[LibraryEntry]:
        """All entries, or those of a method, by method and name.

        Raises:
            WeightsError: an ``about.json`` is damaged; the message names it.
        """
        found = self.folder.glob(f"{method or '*'}/*/{ABOUT}")
        return [_read(path) for path in sorted(found)]

    def entry(self, method: str, name: str) -> LibraryEntry | None:
        """The entry of that name, if it is there."""
        return next((each for each in self.entries(method) if each.name == name), None)

    def fetch(
        self, method: MethodSpec, weights: WeightsSpec, *, timeout: float = TIMEOUT, progress: Progress | None = None
    ) -> LibraryEntry:
        """Fetch what a method names by address; what is there already and whole is not fetched again.

        Raises:
            WeightsError: it ships with its plugin, or cannot be fetched.
        """
        if "://" not in weights.source:
            raise WeightsError(f"{method.name}:{weights.name} ships with its plugin; there is nothing to fetch.")
        there = self.entry(method.name, weights.name)
        known = weights.sha256
        if there is not None:
            if there.source != weights.source:
                raise WeightsError(
                    f"your library has other weights called {weights.name!r} of {method.name}, of {there.source}. "
                    f"Remove {self.path(there).parent}, and fetch again."
                )
            known = known or there.sha256
            if there.sha256 == known and self.problem(there) == "":
                return there
        folder = self._folder(method.name, weights.name)
        target = folder / _plain_name(unquote(Path(urlsplit(weights.source).path).name))
        found = download(
            weights.source,
            target,
            sha256=known,
            size=weights.bytes,
            timeout=timeout,
            progress=progress or (lambda done, total: None),
        )
        return self._put(
            LibraryEntry(
                method=method.name,
                name=weights.name,
                file=target.name,
                sha256=found,
                bytes=target.stat().st_size,
                weights_class=weights.weights_class if weights.weights_class == "official" else "given",
                licence=weights.licence,
                trained_on=weights.trained_on,
                source=weights.source,
                recorded=bool(weights.sha256),
            )
        )

    def add(
        self,
        method: MethodSpec,
        path: Path,
        name: str = "",
        *,
        licence: str = "as the file's author says",
        trained_on: str = "not recorded in the file",
    ) -> LibraryEntry:
        """Copy a file into the library, under ``name`` or that of the file.

        A file whose SHA-256 is that of official weights of the method is taken for these.

        Args:
            method: what they are of.
            path: the file; the tensors of a TensorFlow checkpoint lie beside it and are copied too.
            name: what they are called.
            licence: where it is not official.
            trained_on: likewise.

        Raises:
            WeightsError: there is no such file, or the name is not usable or taken by another file.
        """
        if method.location:
            raise WeightsError(f"{method.name} is named with its file. Give it as {method.name}:{method.location}.")
        if not path.is_file():
            raise WeightsError(f"{path}: there is no such file. Check the path.")
        found = _sha256(path)
        official = next((each for each in method.weights if each.sha256 == found), None)
        name = name or (official.name if official else re.sub(r"[^a-z0-9_]+", "-", path.stem.lower()).strip("-_"))
        if not NAME.fullmatch(name):
            raise WeightsError(
                f"{name!r} is no usable name: use lower-case letters, digits, '_' and '-', a letter first (--name)"
            )
        there = self.entry(method.name, name)
        if there is not None and there.sha256 != found:
            raise WeightsError(f"{method.name} has other weights called {name!r} already. Give another --name.")
        folder = self._folder(method.name, name)
        target = folder / _plain_name(path.name)
        shutil.copyfile(path, target)
        beside = {}
        for each in _shards(path):
            shard = folder / (target.name.removesuffix(BUNDLE) + each.name[-len(SHARD) :])
            shutil.copyfile(each, shard)
            beside[shard.name] = _sha256(shard)
        return self._put(
            LibraryEntry(
                method=method.name,
                name=name,
                file=target.name,
                sha256=found,
                bytes=target.stat().st_size,
                weights_class="official" if official and official.weights_class == "official" else "given",
                licence=official.licence if official else licence,
                trained_on=official.trained_on if official else trained_on,
                source=official.source if official else path.name,
                recorded=official is not None,
                beside=beside,
            )
        )

    def problem(self, entry: LibraryEntry) -> str:
        """Why the files are not what was put there; "" where they are."""
        for path, sha256 in self.files(entry).items():
            try:
                if _sha256(path) != sha256:
                    return f"{path.name}: its SHA-256 is not the recorded one"
            except FileNotFoundError:
                return f"{path.name} is gone"
            except OSError as error:
                return f"{path.name} cannot be read ({error.strerror})"
        return ""

    def files(self, entry: LibraryEntry) -> dict[Path, str]:
        """Its file, and those that belong to it, with the SHA-256 of each."""
        path = self.path(entry)
        return {path: entry.sha256} | {path.with_name(name): sha256 for name, sha256 in entry.beside.items()}

    def _folder(self, method: str, name: str) -> Path:
        folder = self.folder / method / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _put(self, entry: LibraryEntry) -> LibraryEntry:
        path = self.path(entry).with_name(ABOUT)
        fresh = path.with_name(f".{ABOUT}")
        fresh.write_text(json.dumps(asdict(entry), indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)
        return entry


def _shards(path: Path) -> list[Path]:
    """The files of the tensors that a TensorFlow checkpoint has beside its index."""
    if path.suffix != BUNDLE:
        return []
    stem = path.name.removesuffix(BUNDLE)
    pattern = re.compile(re.escape(stem) + r"\.data-\d{5}-of-\d{5}")
    return sorted(each for each in path.parent.iterdir() if pattern.fullmatch(each.name))


def _read(path: Path) -> LibraryEntry:
    try:
        told = {"beside": {}, **json.loads(path.read_text(encoding="utf-8"))}
        entry = LibraryEntry(**{each.name: told[each.name] for each in fields(LibraryEntry)})
        if (
            not isinstance(entry.beside, dict)
            or not all(map(PLAIN.fullmatch, (entry.file, *entry.beside)))
            or (entry.method, entry.name) != path.parts[-3:-1]
        ):
            raise ValueError("it is of another place")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path}: damaged ({str(error)[:120]}). Remove its folder, and fetch or add it again."
        ) from error
    return entry


def _plain_name(name: str) -> str:
    """The name, if it is one that cannot leave its folder, else a plain one with its ending."""
    suffix = Path(name).suffix
    plain = f"weights{suffix}" if re.fullmatch(r"\.[A-Za-z0-9]{1,12}", suffix) else "weights"
    return name if PLAIN.fullmatch(name) and name != ABOUT else plain


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
