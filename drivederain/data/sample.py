"""What the engine sees of data: samples made of pictures that are decoded, or drawn, only when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from drivederain.specs import Intensity

Split = Literal["all", "train", "val", "test"]
IntensitySource = Literal["recorded", "pair", "estimated"]


class Picture(Protocol):
    """A picture with a name for its content that is known without decoding or drawing it."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 hex of all that decides the pixels (file content, size, conversion, rain, generator version)."""

    def load(self) -> NDArray[np.uint8]:
        """Return H x W x 3 RGB, or H x W for masks (255: drop), 8 bit.

        Raises:
            DataError: the file cannot be decoded; the message names it.
        """


@dataclass(frozen=True)
class RainFacts:
    """How much it rains in a picture, as far as that is known."""

    rate_mm_h: float | None = None
    """Recorded when the rain was drawn."""
    coverage: float | None = None
    """Share of the picture behind drops, 0 to 1: of drawn rain where the soft mask is above .1, else what the intensity
    was measured or estimated by."""


@dataclass(frozen=True)
class Sample:
    """One test or training picture: rainy, with truth and drop mask where there are any, and what is known of it."""

    dataset: str
    """The test set it belongs to, as it appears in the results: ``synthetic:clear_road``, ``v40-pairs``."""
    split: Split
    image: str
    """Unique within the test set, safe as a file name: ``kitti_000@heavy``."""
    scene: str
    """Pictures of one scene are not independent: splits and intervals go by scene."""
    rainy: Picture
    clear: Picture | None
    mask: Picture | None
    """Soft drop mask."""
    intensity: Intensity | Literal["clear"]
    """``clear``: the clear picture itself is the input."""
    intensity_source: IntensitySource
    borderline: bool = False
    """The intensity was measured or estimated close to a cut point."""
    size: str = "native"
    """``native`` or the shorter side in pixels that the clear picture was resized to before rain."""
    content: str = ""
    """SHA-256 of the pixels (shape and RGB bytes, native size) of the clear picture, of the rainy one without truth."""
    source_file: str = ""
    """The file name as a reader would look for it, relative to the data folder."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What was recorded of the rain."""
    rain: Callable[[], RainFacts] = field(default=RainFacts, compare=False)
    """How much it rains; may read a file, or draw what was not drawn before."""

    @property
    def drops(self) -> Picture | None:
        """The mask that scores are split by: none in a clear picture, all of which is background."""
        return None if self.intensity == "clear" else self.mask


@dataclass(frozen=True)
class Problem:
    """A file that could not be used and was skipped by ``--skip-bad``."""

    file: str
    reason: str


@dataclass(frozen=True)
class SampleSet:
    """Samples that may be averaged: one data set, one split, truth for all or for none."""

    name: str
    split: Split
    samples: tuple[Sample, ...]
    has_truth: bool
    description: str = ""
    """One plain sentence for the report: what was drawn, how it was split."""
    clear_input_of: str = ""
    """The test set whose clear pictures these are, as their own input; "" for rainy ones."""


@dataclass
class DataContext:
    """What the user's command says about data, and where problems are noted."""

    cache: Path
    size: int | None = None
    """Shorter side by area interpolation before rain is drawn; ``None``: native."""
    seed: int = 0
    intensities: tuple[Intensity, ...] = ("light", "medium", "heavy")
    limit: int | None = None
    """At most this many clear photos (synthetic) or pairs or photos a test set, chosen by content hash, not by name."""
    skip_bad: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the data set (``--data-option clear=my_clear``)."""
    problems: list[Problem] = field(default_factory=list)


class Dataset(Protocol):
    """What a dataset plugin's class looks like; ``location`` is what stood behind the first colon of ``--data``."""

    def __init__(self, location: str, context: DataContext) -> None: ...

    def sample_sets(self, split: Split) -> list[SampleSet]:
        """The samples of a split: ``all`` of them, or ``train``, ``val``, ``test`` where a method must be trained.

        A data set with splits of its own (V40) gives its test part for ``all`` too.

        Raises:
            DataError: nothing usable; the message names the folder or file and the remedy.
        """
