"""Which pictures of a run can be asked about, in an order that names and a seed decide."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivederain.errors import DataError, OptionError
from drivederain.names import did_you_mean
from drivederain.results.run_folder import RunFolder
from drivederain.results.statistics import REFERENCE

COLUMNS = ("method", "dataset", "image", "scene", "intensity")


@dataclass(frozen=True)
class Candidate:
    """A rainy picture and the files beside it."""

    run: RunFolder
    dataset: str
    image: str
    scene: str
    intensity: str

    @property
    def rainy(self) -> Path:
        return self.run.image_folder(self.dataset, self.image) / "rainy.png"

    @property
    def clear(self) -> Path:
        return self.run.image_folder(self.dataset, self.image) / "clear.png"

    def output(self, method: str) -> Path:
        """What ``method`` made of it; of the rainy input that input itself."""
        return self.rainy if method == REFERENCE else self.run.output_png(self.dataset, self.image, method)


Strata = dict[tuple[str, str], list[Candidate]]
"""By data set and intensity."""


def candidates(run: RunFolder, seed: int) -> tuple[list[str], Strata]:
    """The methods of a run, the rainy input among them, and its pictures, each stratum in the order of their hashes.

    Raises:
        DataError: the folder is no run, or a file in it is damaged.
    """
    rows = run.results(COLUMNS)
    methods = sorted({REFERENCE, *map(str, rows["method"].unique())}, key=lambda name: (name != REFERENCE, name))
    rows = rows[rows["intensity"] != "clear"]  # clear input: there is no rain to judge
    pictures = rows[["dataset", "image", "scene", "intensity"]].drop_duplicates().itertuples(index=False)
    strata: Strata = {}
    for dataset, image, scene, intensity in sorted(
        {tuple(map(str, picture)) for picture in pictures}, key=lambda picture: drawn(seed, *picture)
    ):
        strata.setdefault((dataset, intensity), []).append(Candidate(run, dataset, image, scene, intensity))
    return methods, dict(sorted(strata.items(), key=lambda item: drawn(seed, *item[0])))


def compared_methods(
    run: RunFolder, known: Sequence[str], asked: Sequence[str], with_input: bool, strata: Strata
) -> list[str]:
    """Those of ``asked``, else all, of which pictures are stored; the rainy input with ``with_input``.

    Raises:
        OptionError: one of ``asked`` is not in the run.
        DataError: fewer than two are left.
    """
    for name in asked:
        if name not in known:
            listed = ", ".join(known)
            raise OptionError(f"--methods {name}: not in {run.path}.{did_you_mean(name, known)} It has: {listed}.")
    wanted = [name for name in asked or known if name != REFERENCE]
    found = [name for name in wanted if _stored(name, strata)]
    found = [REFERENCE, *found] if with_input else found
    if len(found) < 2 or not _stored(REFERENCE, strata):
        raise DataError(
            f"{run.path}: there are no two methods with stored pictures to compare ({', '.join(found) or 'none'}). Run "
            "the benchmark with more methods, or let the rainy input take part (--input)."
        )
    return found


def drawn(seed: int, *names: str) -> str:
    """A hash that puts ``names`` in an order that only the seed changes."""
    return hashlib.sha256("\x1f".join((str(seed), *names)).encode("utf-8", "surrogatepass")).hexdigest()


def _stored(method: str, strata: Strata) -> bool:
    pictures: Iterable[Candidate] = (picture for stratum in strata.values() for picture in stratum)
    return any(picture.output(method).is_file() for picture in pictures)
