"""``run.json``, checked: what the engine wrote about a run, as typed records."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import SCHEMA_VERSION

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
"""Text of which null means that there is none."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Weights(_Record):
    """What a stage was loaded with."""

    stage: str
    weights_class: str = Field(alias="class")
    name: Text = ""
    source: Text = ""
    sha256: Text = ""
    licence: Text = ""
    trained_on: Text = ""
    budget: Text = ""
    hardware: Text = ""
    steps: int | None = None
    behind: Text = ""


class PublishedAbout(_Record):
    """A figure of a paper; ``metric`` with its variant, as ``psnr_y[mprnet]``."""

    dataset: str
    metric: str
    value: float
    source: Text = ""


class MethodAbout(_Record):
    """A chain of the run."""

    name: str
    stages: list[str]
    summary: Text = ""
    licence: Text = ""
    non_commercial: bool = False
    paper: Text = ""
    key: Text = ""
    options: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    not_measured: dict[str, Text] = {}
    """Reasons, by ``flops`` and ``energy``."""
    weights: list[Weights] = []
    published: list[PublishedAbout] = []
    status: str
    reason: Text = ""
    images_ok: int
    images: int
    restored_now: int = 0
    traceback: Text = ""

    @property
    def parameters(self) -> int | None:
        """Of all stages together; ``None`` where no stage says."""
        known = [
            facts["parameters"] for facts in self.facts.values() if isinstance(facts, dict) and "parameters" in facts
        ]
        return sum(int(count) for count in known) if known else None


class DatasetAbout(_Record):
    """A test set of the run."""

    spec: Text = ""
    name: str
    split: Text = ""
    has_truth: bool
    clear_input_of: Text = ""
    """The test set whose clear pictures these are, as their own input."""
    images: int
    scenes: int
    description: Text = ""
    fingerprint: Text = ""
    size: Text = "native"
    intensity_sources: dict[str, int] = {}
    borderline: int = 0
    smoke_test: bool = False


class MetricAbout(_Record):
    """A metric in one variant."""

    name: str
    variant: str
    direction: Literal["higher", "lower"]
    unit: Text = ""
    decimals: int = 2
    summary: Text = ""
    paper: Text = ""

    @property
    def label(self) -> str:
        return f"{_LABELS.get(self.name, self.name)} [{self.variant}]"

    @property
    def short(self) -> str:
        return _LABELS.get(self.name, self.name)

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is: a difference times this is a gain."""
        return 1 if self.direction == "higher" else -1


_LABELS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "mse": "MSE",
    "lpips": "LPIPS",
    "psnr_y": "PSNR-Y",
    "ssim_y": "SSIM-Y",
    "colour_shift": "Colour shift",
    "blur": "Blur",
    "altered": "Altered",
    "visible_drops": "Visible drops",
    "seams": "Seams",
    "niqe": "NIQE",
}


Figure = Annotated[float, Field(ge=-1e15, le=1e15)]
"""A number that can be drawn: neither infinite nor NaN."""
Epoch = Annotated[int, Field(ge=1, le=10**9)]


class EpochAbout(_Record):
    """What one epoch of a training reached; ``None`` where it was not measured or was not finite."""

    epoch: Epoch
    train_loss: Figure | None = None
    validation_loss: Figure | None = None
    psnr: Figure | None = None
    ssim: Figure | None = None
    psnr_light: Figure | None = None
    psnr_medium: Figure | None = None
    psnr_heavy: Figure | None = None

    @property
    def validated(self) -> bool:
        return any(value is not None for value in (self.psnr, self.ssim, self.validation_loss))


class HyperparameterAbout(_Record):
    """One value of a recipe, the program's own default for it, and what it means."""

    name: str
    value: Any = None
    default: Any = None
    known: bool = False
    """Whether this version has it."""
    meaning: Text = ""


class RainyAbout(_Record):
    """Scores of the rainy validation pictures themselves."""

    psnr: Figure | None = None
    ssim: Figure | None = None


class TrainingAbout(_Record):
    """How weights of the run were trained."""

    chain: str
    used_in: list[str] = []
    behind: Text = ""
    weights_class: Text = ""
    sha256: Text = ""
    weights_epoch: Epoch | None = None
    """The last one that these weights have seen."""
    trained_on: Text = ""
    samples: int | None = None
    scenes: int | None = None
    validated_on: Text = ""
    validation_samples: int | None = None
    budget: Text = ""
    planned_epochs: Epoch | None = None
    status: Text = ""
    stop_reason: Text = ""
    steps: int | None = None
    epochs: int | None = None
    seconds: Figure | None = None
    precision: Text = ""
    best_epoch: Epoch | None = None
    losses: dict[str, Figure | None] = {}
    rainy: RainyAbout = RainyAbout()
    expected_psnr: list[tuple[Figure, Figure, Text]] = []
    """Lowest and highest of each part of a training, in words."""
    hyperparameters: list[HyperparameterAbout] = []
    history: list[EpochAbout] = Field(min_length=1)
    history_epochs: int = 0
    """Of the training; ``history`` may have fewer."""
    pictures: dict[Literal["samples", "real"], int] = {}
    """Epochs of those in ``training/`` of the run's folder."""

    @property
    def best(self) -> EpochAbout | None:
        """The epoch with the highest validation PSNR."""
        rows = [row for row in self.history if row.epoch == self.best_epoch]
        return max(rows, key=lambda row: row.psnr if row.psnr is not None else float("-inf"), default=None)


class ProblemAbout(_Record):
    """A file that was skipped."""

    file: Text
    reason: Text


class PluginAbout(_Record):
    """An entry point, working or not."""

    entry_point: str
    module: Text = ""
    distribution: Text = ""
    version: Text = ""
    status: str
    reason: Text = ""
    methods: list[str] = []


class EnvironmentAbout(_Record):
    """Where the run took place."""

    python: Text = ""
    platform: Text = ""
    cpu: Text = ""
    cores: int | None = None
    memory_gb: float | None = None
    gpu: Text = ""
    versions: dict[str, Text] = {}

    @property
    def hardware(self) -> str:
        """One line: the GPU where there is one, the CPU, cores and memory."""
        cores = f"{self.cores} core{'' if self.cores == 1 else 's'}" if self.cores else ""
        memory = f"{self.memory_gb:.0f} GB memory" if self.memory_gb else ""
        return ", ".join(part for part in (self.gpu, self.cpu, cores, memory) if part) or "hardware not recorded"


class CeilingScore(_Record):
    """The mean of one metric variant over so many pictures."""

    mean: float
    images: int


class CeilingAbout(_Record):
    """What a method can put out at best, whatever it learns: another one's output of the clear pictures."""

    method: Text
    of: list[Text]
    dataset: Text
    images: int
    images_ok: int
    reason: Text = ""
    scores: dict[str, CeilingScore] = {}


class PartAbout(_Record):
    """A run that was joined with others."""

    name: Text
    shard: Text = ""
    command: list[str] = []
    started: Text = ""
    seconds: float | None = None
    exit_status: int | None = None
    device: Text | None = None
    hardware: Text = ""
    git: dict[str, Any] | None = None
    methods: list[Text] = []
    datasets: list[dict[str, Any]] = []


class RunAbout(_Record):
    """The whole file."""

    schema_version: int
    name: str
    command: list[str]
    started: Text = ""
    finished: Text = ""
    seconds: float | None = None
    exit_status: int | None = None
    version: Text = ""
    git: dict[str, Any] | None = None
    suite: Text = ""
    protocol: dict[str, Any] = {}
    shard: Text = ""
    """The part or parts of the test data that this is; "" for all of it."""
    datasets: list[DatasetAbout]
    whole: list[DatasetAbout] = []
    """The test sets that a shard is a part of."""
    merged: list[PartAbout] = []
    methods: list[MethodAbout]
    ceilings: list[CeilingAbout] = []
    trainings: list[TrainingAbout] = []
    metrics: list[MetricAbout]
    problems: list[ProblemAbout] = []
    warnings: list[Text] = []
    environment: EnvironmentAbout = EnvironmentAbout()
    plugins: list[PluginAbout] = []


def read_about(run: RunFolder) -> RunAbout:
    """``run.json`` of ``run``.

    Raises:
        DataError: it is missing, damaged, of another version, or lacks what the report needs; the message names what.
    """
    contents = run.about()
    version = contents.get("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(
            f"{run.run_json} has schema version {version}, this program reads {SCHEMA_VERSION}. "
            "Run the benchmark again."
        )
    try:
        return RunAbout.model_validate(contents)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{run.run_json} is damaged: {place or 'the file'}: {first['msg']}. "
            "Run the benchmark again with the same --out."
        ) from error
