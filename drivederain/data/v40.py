"""``v40:ROOT``: the V40 layout. Two test sets that are never averaged: pairs with truth, and real photos without."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from drivederain.data.folders import checked_folder, list_pictures
from drivederain.data.image_names import image_names
from drivederain.data.options import chosen_options
from drivederain.data.pairs import Pair, find_pairs, find_photos
from drivederain.data.problems import note, settle
from drivederain.data.recorded_intensity import read_recorded
from drivederain.data.sample import DataContext, Problem, SampleSet, Split
from drivederain.data.samples import Collection, NoneOfTheIntensities, make_samples
from drivederain.data.scene_names import scene_names
from drivederain.data.splits import PARTS, V40_SHARES, Part, check_disjoint, ranked_by_hash, split_stems
from drivederain.data.v40_splits import SplitFiles, read_split_files
from drivederain.errors import DataError

OPTIONS = {
    "clear": "clear",
    "rainy": "windshield_rainy_v40",
    "real": "real_rainy",
    "splits": "splits",
    "scene": "auto",
}
PAIRS, REAL = "v40-pairs", "v40-real"
REAL_TEST_PHOTOS = 200


class V40:
    """``clear/`` and ``windshield_rainy_v40/`` share stems; ``real_rainy/`` has no truth and may be left out.

    ``splits/{train,val,test}.txt`` say what is what; without them 1,200/150/200 of 1,550 pairs, in proportion for other
    numbers, by hash of the stems, and the 200 real photos of lowest hash.
    """

    def __init__(self, location: str, context: DataContext) -> None:
        root = checked_folder(location, "--data v40:ROOT")
        self._context = context
        self._options = chosen_options("v40", context.options, OPTIONS)
        self._root = root
        self._clear = self._needed("clear")
        self._rainy = self._needed("rainy")
        self._real = root / self._options["real"]

    def sample_sets(self, split: Split) -> list[SampleSet]:
        """``v40-pairs`` and, for ``all`` and ``test``, ``v40-real``; ``all`` is the test part.

        Raises:
            DataError: a folder or split file is missing, a picture is in train and test, nothing is left to test (of
                the intensities asked for), or there are bad files without ``--skip-bad``.
        """
        part: Part = "test" if split == "all" else split
        sets: list[SampleSet] = []
        missed: list[NoneOfTheIntensities] = []
        for make in (self._pair_set, self._real_set):
            try:
                sets += make(part)
            except NoneOfTheIntensities as error:
                missed.append(error)
        if missed and not sets:
            raise NoneOfTheIntensities("; ".join(map(str, missed)))
        for reason in missed:
            note(self._context, Problem(str(self._root), f"{reason}; this set is left out"))
        return sets

    def _pair_set(self, part: Part) -> list[SampleSet]:
        pairs = [pair for pair in self._pairs if self._parts.get(pair.stem) == part]
        if part == "test" and not pairs:
            raise DataError(f"{self._root}: no pair is left to test; name some in {self._options['splits']}/test.txt")
        stems = [pair.stem for pair in self._pairs]
        scenes = scene_names(stems, self._options["scene"])
        collection = Collection(PAIRS, image_names(stems), scenes, read_recorded(self._root))
        samples = make_samples(pairs, collection, part, self._context)
        description = f"{len(samples)} of {len(stems)} V40 pairs, the {part} part {self._how_split}."
        return [SampleSet(PAIRS, part, samples, has_truth=True, description=description)]

    def _real_set(self, part: Part) -> list[SampleSet]:
        if part != "test":
            return []
        if not self._real.is_dir():
            reason = f"the folder is missing, so {REAL} is left out (--data-option real=NAME says where it is)"
            note(self._context, Problem(self._options["real"] + "/", reason))
            return []
        photos = find_photos(self._real, self._context)
        stems = [photo.stem for photo in photos]
        named = self._split_files.real if self._split_files else ()
        chosen = set(named or ranked_by_hash(stems)[:REAL_TEST_PHOTOS])
        collection = Collection(REAL, image_names(stems), scene_names(stems, self._options["scene"]), {})
        samples = make_samples([photo for photo in photos if photo.stem in chosen], collection, "test", self._context)
        how = "named in test.txt" if named else "drawn by hash of their names"
        description = f"{len(samples)} of {len(stems)} real V40 photos without ground truth, {how}."
        return [SampleSet(REAL, "test", samples, has_truth=False, description=description)]

    @cached_property
    def _pairs(self) -> list[Pair]:
        return find_pairs(self._rainy, self._clear, None, self._context)

    @cached_property
    def _split_files(self) -> SplitFiles | None:
        pairs = {entry.stem for folder in (self._rainy, self._clear) for entry in list_pictures(folder)[0]}
        real = {entry.stem for entry in list_pictures(self._real)[0]} if self._real.is_dir() else set()
        pair_folders = (self._options["rainy"], self._options["clear"])
        return read_split_files(self._root / self._options["splits"], pairs, real, pair_folders, self._options["real"])

    @cached_property
    def _parts(self) -> dict[str, Part]:
        """The part of each usable pair; a pair that is also in a later part is an error, or left out."""
        if self._split_files:
            parts = dict(self._split_files.pairs)
        else:
            parts = split_stems([pair.stem for pair in self._pairs], V40_SHARES, str(self._root))
        problems: dict[str, Problem] = {}
        for kind in ("clear", "rainy"):
            contents: dict[Part, list[tuple[str, str]]] = {part: [] for part in PARTS}
            stem_of = {}
            for pair in self._pairs:
                found = pair.rainy if kind == "rainy" or pair.clear is None else pair.clear
                stem_of[found.name] = pair.stem
                if pair.stem in parts:
                    contents[parts[pair.stem]].append((found.name, found.content.sha256))
            for name, other, part in check_disjoint(contents):
                reason = f"this {part} picture is the same as {other} of {parts[stem_of[other]]}"
                problems.setdefault(stem_of[name], Problem(name, reason))
        settle(list(problems.values()), self._context, str(self._root))
        return {stem: part for stem, part in parts.items() if stem not in problems}

    @property
    def _how_split(self) -> str:
        if self._split_files:
            return f"named in {self._options['splits']}/"
        return f"of {'/'.join(f'{share:,}' for share in V40_SHARES)} in proportion, by hash of the names"

    def _needed(self, option: str) -> Path:
        folder = self._root / self._options[option]
        if not folder.is_dir():
            there = ", ".join(sorted(path.name + "/" for path in self._root.iterdir() if path.is_dir())) or "none"
            raise DataError(
                f"{folder} is missing (folders there: {there}). "
                f"If it has another name, say so with --data-option v40.{option}=NAME."
            )
        return folder
