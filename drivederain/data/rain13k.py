"""``rain13k:ROOT``: the test sets of deraining papers, each a set of its own, under the names that papers use."""

from __future__ import annotations

from functools import cache

from drivederain.data.deraining_sets import SIZES, DerainingSet, clear_names, find_sets
from drivederain.data.folders import checked_folder
from drivederain.data.image_names import image_names
from drivederain.data.options import chosen_options
from drivederain.data.pairs import Pair, find_pairs
from drivederain.data.problems import note
from drivederain.data.sample import DataContext, Problem, SampleSet, Split
from drivederain.data.samples import Collection, NoneOfTheIntensities, make_samples
from drivederain.data.scene_names import scene_names
from drivederain.errors import DataError


class Rain13K:
    """Streaks that were drawn over photographs, most of them; intensities are estimated from the pairs."""

    def __init__(self, location: str, context: DataContext) -> None:
        root = checked_folder(location, "--data rain13k:ROOT")
        chosen_options("rain13k", context.options, {})
        self._context, self._root = context, root
        self.sets, left = find_sets(root)
        if not self.sets:
            shown = left or sorted(path for path in root.iterdir() if path.is_dir())
            there = ", ".join(f"{path.relative_to(root).as_posix()}/" for path in shown) or "none"
            raise DataError(
                f"{root} holds none of {', '.join(SIZES)} with input/ and target/ in it, nor does its test/ (folders "
                f"there: {there}). Name two folders with --data paired:RAINY:CLEAR."
            )
        for folder in left:
            reason = "it holds no input/ and target/, nor another layout of these sets, or its set was found elsewhere"
            note(context, Problem(str(folder), f"{reason}; it is left out"))

    def sample_sets(self, split: Split) -> list[SampleSet]:
        """A set for each that is there; they are test sets as a whole, and nothing of them is for training.

        Raises:
            DataError: pairs are bad and ``--skip-bad`` is not given, or none is of the intensities asked for.
        """
        if split not in ("all", "test"):
            return []
        found, missed = [], []
        for each in self.sets:
            try:
                found.append(self._sample_set(each, split))
            except NoneOfTheIntensities as error:
                missed.append(error)
        if not found:
            raise NoneOfTheIntensities("; ".join(map(str, missed)))
        for reason in missed:
            note(self._context, Problem(str(self._root), f"{reason}; this set is left out"))
        return found

    def _sample_set(self, found: DerainingSet, split: Split) -> SampleSet:
        pairs = self._pairs(found)
        stems = [pair.stem for pair in pairs]
        clear = {pair.stem: pair.clear.entry.stem if pair.clear else pair.stem for pair in pairs}
        scenes = {stem: scene_names([name])[name] for stem, name in clear.items()}
        collection = Collection(found.name, image_names(stems), scenes, {})
        samples = make_samples(pairs, collection, split, self._context)
        whole = SIZES[found.name]
        all_there = "all" if len(samples) == whole else "not all"
        description = f"{len(samples)} pairs, {all_there} of the {whole} that papers score."
        return SampleSet(found.name, split, samples, has_truth=True, description=description)

    @cache  # noqa: B019 (one object a command)
    def _pairs(self, found: DerainingSet) -> list[Pair]:
        return find_pairs(found.rainy, found.clear, None, self._context, clear_names)
