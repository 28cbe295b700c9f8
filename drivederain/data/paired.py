"""``paired:RAINY:CLEAR`` or ``paired:ROOT``: rainy pictures with their clear ones."""

from __future__ import annotations

from functools import cached_property

from drivederain.data.image_names import image_names
from drivederain.data.options import chosen_options
from drivederain.data.paired_folders import find_paired_folders
from drivederain.data.pairs import Pair, find_pairs
from drivederain.data.recorded_intensity import read_recorded
from drivederain.data.sample import DataContext, SampleSet, Split
from drivederain.data.samples import Collection, make_samples
from drivederain.data.scene_names import scene_names
from drivederain.data.splits import Part, Splittable, split_by_scene


class Paired:
    """Intensities are recorded ones where there are any, else estimated from the pair."""

    def __init__(self, location: str, context: DataContext) -> None:
        self._folders = find_paired_folders(location)
        self._context = context
        self._options = chosen_options("paired", context.options, {"scene": "auto"})
        self.name = f"paired:{self._folders.name}"

    def sample_sets(self, split: Split) -> list[SampleSet]:
        """One set; ``train``, ``val`` and ``test`` are 70/10/20 of the scenes by content hash.

        Raises:
            DataError: no usable pair, one scene only where a split is needed, or bad pairs without ``--skip-bad``.
        """
        pairs = [pair for pair in self._pairs if split == "all" or self._parts[pair.stem] == split]
        samples = make_samples(pairs, self._collection, split, self._context)
        part = "" if split == "all" else f", the {split} part of a 70/10/20 split by scene and content hash"
        masks = sum(sample.mask is not None for sample in samples)
        description = f"{len(samples)} of {len(self._pairs)} pairs{part}; {masks} with a drop mask."
        return [SampleSet(self.name, split, samples, has_truth=True, description=description)]

    @cached_property
    def _pairs(self) -> list[Pair]:
        return find_pairs(self._folders.rainy, self._folders.clear, self._folders.masks, self._context)

    @cached_property
    def _collection(self) -> Collection:
        stems = [pair.stem for pair in self._pairs]
        recorded = read_recorded(self._folders.records) if self._folders.records else {}
        return Collection(self.name, image_names(stems), scene_names(stems, self._options["scene"]), recorded)

    @cached_property
    def _parts(self) -> dict[str, Part]:
        scenes = self._collection.scenes
        pictures = [Splittable(pair.stem, scenes[pair.stem], pair.content) for pair in self._pairs]
        return split_by_scene(pictures, self.name)
