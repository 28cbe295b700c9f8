"""``synthetic:PHOTOS``: clear photos in a folder and its subfolders, with rain drawn over them."""

from __future__ import annotations

from functools import cached_property

from drivederain.data.folders import checked_folder, list_pictures
from drivederain.data.found import Found, find, repeated
from drivederain.data.image_names import image_names
from drivederain.data.options import chosen_options
from drivederain.data.problems import note, settle
from drivederain.data.rained import ClearPicture, rain_samples
from drivederain.data.sample import DataContext, SampleSet, Split
from drivederain.data.scene_names import scene_names
from drivederain.data.splits import Part, Splittable, split_by_scene
from drivederain.errors import DataError


class Synthetic:
    """Each photo at each of the intensities. The rain's key is the photo's relative path without suffix."""

    def __init__(self, location: str, context: DataContext) -> None:
        self._folder = checked_folder(location, "--data synthetic:PHOTOS")
        self._context = context
        self._options = chosen_options("synthetic", context.options, {"scene": "auto"})
        self.name = f"synthetic:{self._folder.resolve().name}"

    def sample_sets(self, split: Split) -> list[SampleSet]:
        """One set; ``train``, ``val`` and ``test`` are 70/10/20 of the scenes by content hash.

        Raises:
            DataError: no usable photo, one scene only where a split is needed, or bad files without ``--skip-bad``.
        """
        context = self._context
        photos = [photo for photo in self._photos if split == "all" or self._parts[photo.entry.stem] == split]
        if split in ("all", "test") and context.limit is not None:
            ranked = sorted(photos, key=lambda photo: (photo.content.sha256, photo.entry.stem))
            photos = sorted(ranked[: context.limit], key=lambda photo: photo.entry.stem)
        for problem in repeated((photo.name, photo.content.sha256) for photo in photos):
            note(context, problem)
        samples = [sample for photo in photos for sample in rain_samples(self._clear(photo), self.name, split, context)]
        description = self._description(split, len(photos))
        return [SampleSet(self.name, split, tuple(samples), has_truth=True, description=description)]

    @cached_property
    def _photos(self) -> list[Found]:
        entries, listed = list_pictures(self._folder)
        found, undecodable = find(entries, self._context.cache)
        settle(listed + undecodable, self._context, str(self._folder))
        if not found:
            raise DataError(f"{self._folder}: none of its pictures can be used")
        return found

    @cached_property
    def _names(self) -> dict[str, str]:
        return image_names(photo.entry.stem for photo in self._photos)

    @cached_property
    def _scenes(self) -> dict[str, str]:
        return scene_names([photo.entry.stem for photo in self._photos], self._options["scene"])

    @cached_property
    def _parts(self) -> dict[str, Part]:
        contents = {photo.entry.stem: photo.content.sha256 for photo in self._photos}
        pictures = [Splittable(stem, self._scenes[stem], content) for stem, content in contents.items()]
        return split_by_scene(pictures, str(self._folder))

    def _clear(self, photo: Found) -> ClearPicture:
        stem, size = photo.entry.stem, self._context.size
        return ClearPicture(
            key=stem,
            image=self._names[stem],
            scene=self._scenes[stem],
            picture=photo.picture(size),
            size=photo.effective_size(size),
            content=photo.content.sha256,
            source_file=photo.name,
        )

    def _description(self, split: Split, count: int) -> str:
        part = "" if split == "all" else f", the {split} part of a 70/10/20 split by scene and content hash"
        rain = f"windshield rain drawn at {', '.join(self._context.intensities)} with seed {self._context.seed}"
        return f"{count} of {len(self._photos)} clear photos{part}; {rain}."
