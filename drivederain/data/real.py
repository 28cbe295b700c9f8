"""``real:PHOTOS``: rainy photos without truth. Intensities are estimated from the photos alone."""

from __future__ import annotations

from functools import cached_property

from drivederain.data.folders import checked_folder
from drivederain.data.image_names import image_names
from drivederain.data.options import chosen_options
from drivederain.data.pairs import Pair, find_photos
from drivederain.data.sample import DataContext, SampleSet, Split
from drivederain.data.samples import Collection, make_samples
from drivederain.data.scene_names import scene_names


class Real:
    """All photos are test photos: without truth nothing can be trained on them."""

    def __init__(self, location: str, context: DataContext) -> None:
        self._folder = checked_folder(location, "--data real:PHOTOS")
        self._context = context
        self._options = chosen_options("real", context.options, {"scene": "auto"})
        self.name = f"real:{self._folder.resolve().name}"

    def sample_sets(self, split: Split) -> list[SampleSet]:
        """The photos for ``all`` and ``test``, nothing for ``train`` and ``val``.

        Raises:
            DataError: no usable photo, or bad files without ``--skip-bad``.
        """
        if split in ("train", "val"):
            return []
        stems = [photo.stem for photo in self._photos]
        collection = Collection(self.name, image_names(stems), scene_names(stems, self._options["scene"]), {})
        samples = make_samples(self._photos, collection, split, self._context)
        description = f"{len(samples)} of {len(stems)} rainy photos without ground truth; intensities are estimated."
        return [SampleSet(self.name, split, samples, has_truth=False, description=description)]

    @cached_property
    def _photos(self) -> list[Pair]:
        return find_photos(self._folder, self._context)
