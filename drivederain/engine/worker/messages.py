"""What a run and its workers say to each other. Everything can be pickled; pictures go by file, not by message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivederain.data.sample import Picture, Sample
from drivederain.engine.cells import Output
from drivederain.engine.settings import RunSettings
from drivederain.engine.stages import ReadyStage
from drivederain.metric_selection import MetricVariant
from drivederain.results.schema import Status

# What a worker is told.


@dataclass(frozen=True)
class RestoreTask:
    """Load one stage, then restore the pictures of the jobs that follow."""

    stage: ReadyStage
    folder: Path
    """Of the stage's cell."""
    before: Path | None
    """Of the cell of the stage before it, where its estimates are."""
    threads: int
    timeout: float | None = None
    allow_lower_precision: bool = False
    too_large: tuple[tuple[int, int], ...] = ()
    """Padded sizes (height, width) of pictures that cost a process for its memory: they begin in small tiles."""


@dataclass(frozen=True)
class RestoreItem:
    """One picture to restore; ``estimate``: SHA-256 of the output of the stage before it, "" where there is none.

    ``mask``: for methods that use the masks of the data, where there is one.
    """

    rainy: Picture
    picture: str
    estimate: str
    mask: Picture | None = None


@dataclass(frozen=True)
class RestoreJob:
    """Pictures that go through the network together, as far as they are of one size."""

    number: int
    items: tuple[RestoreItem, ...]
    group: str
    part: str
    """Names the pictures whose throughput is taken together (``timings.part_of``)."""
    alone: bool
    """Time it with nothing else going on."""
    note: str = ""
    """What was already made smaller for it, as ``Output.stepped_down`` says it."""


@dataclass(frozen=True)
class ScoreTask:
    """Score the outputs of the jobs that follow with these metrics."""

    variants: tuple[MetricVariant, ...]
    device: str
    threads: int
    outdated: int = 0
    """Jobs up to this number come back without scores: they were given before it was known which metrics end processes,
    and are asked for anew."""


@dataclass(frozen=True)
class ScoredOutput:
    """An output to score: its cell's folder, and what its line says."""

    folder: Path
    sha256: str
    pixels: int
    variants: tuple[str, ...]
    """Names of the metric variants that are missing."""


@dataclass(frozen=True)
class ScoreItem:
    """All outputs of one picture that lack a score."""

    picture: str
    clear: Picture | None
    """``None``: only metrics that need no truth are asked for."""
    mask: Picture | None
    outputs: tuple[ScoredOutput, ...]

    @property
    def pixels(self) -> int:
        """Of all that is decoded for it: the outputs, and the truth, which is as large as they are."""
        sizes = [output.pixels for output in self.outputs]
        return sum(sizes) + max(sizes)


@dataclass(frozen=True)
class ScoreJob:
    """Pictures to score together, as far as they are of one size and lack the same scores."""

    number: int
    items: tuple[ScoreItem, ...]

    @property
    def pixels(self) -> int:
        """Of all its pictures."""
        return sum(item.pixels for item in self.items)


@dataclass(frozen=True)
class TrainTask:
    """Train one stage and put its weights into the cache."""

    stage: ReadyStage
    settings: RunSettings
    samples: tuple[Sample, ...]
    trained_on: str
    threads: int


Task = RestoreTask | ScoreTask | TrainTask
Job = RestoreJob | ScoreJob

# What a worker says.


@dataclass(frozen=True)
class Loaded:
    """The method is loaded; ``facts`` is what it says of itself."""

    facts: Mapping[str, Any]


@dataclass(frozen=True)
class LoadFailed:
    """It cannot be loaded; nothing more comes."""

    status: Status
    reason: str
    traceback: str


@dataclass(frozen=True)
class Started:
    """A pass begins: the clock of the time limit starts anew."""

    job: int
    size: tuple[int, int] | None = None
    """Padded height and width of the pictures, where they go through a network."""


@dataclass(frozen=True)
class Measured:
    """Facts that hold whatever comes after: they are kept in ``facts.json`` of the cell."""

    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Restored:
    """Pictures were restored and lie in the cell."""

    job: int
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Score:
    """The values of one metric variant by region, or why there are none."""

    regions: Mapping[str, float]
    status: Status = "ok"
    reason: str = ""


@dataclass(frozen=True)
class Scored:
    """Of each item of the job, of each of its outputs: scores by the name of the metric variant."""

    job: int
    scores: tuple[tuple[Mapping[str, Score], ...], ...]


@dataclass(frozen=True)
class Failed:
    """The method failed on a job. ``lasting``: it is its own doing, and would be again."""

    job: int
    status: Status
    reason: str
    traceback: str = ""
    lasting: bool = True
    limit: float | None = None
    """The limit that was exceeded: seconds, or bytes."""
    data: bool = False
    """A picture of the data set could not be read."""
    tried: bool = True
    """Else its turn never came."""


@dataclass(frozen=True)
class Damaged:
    """A file of the cache that the job needs was damaged and is deleted: the output of ``picture`` in ``folder``."""

    job: int
    folder: Path
    picture: str


@dataclass(frozen=True)
class Fatal:
    """The machine, not the method: no space on the disk, no permission. The run cannot go on."""

    errno: int | None
    words: str
    file: str

    @classmethod
    def of(cls, error: OSError, where: Path | str = "") -> Fatal:
        """``where``: what it was about, as writing to an open file does not say which one."""
        return cls(error.errno, error.strerror or str(error), str(error.filename or where))

    def error(self) -> OSError:
        """The error again, for the run to raise."""
        return OSError(self.errno, self.words, self.file)


@dataclass(frozen=True)
class Progress:
    """How far a training is, of 1."""

    share: float
    words: str


@dataclass(frozen=True)
class Warned:
    """Something the user should know."""

    words: str


@dataclass(frozen=True)
class Finished:
    """All jobs are done; ``facts``: what was measured to their end, kept as ``Measured``, or a training's words."""

    facts: Mapping[str, Any] = field(default_factory=dict)


Message = (
    Loaded
    | LoadFailed
    | Started
    | Measured
    | Restored
    | Scored
    | Failed
    | Damaged
    | Fatal
    | Progress
    | Warned
    | Finished
)
