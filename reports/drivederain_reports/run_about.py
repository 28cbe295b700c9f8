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
    steps: int | None = None
    behind: Text = ""


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


_LABELS = {"psnr": "PSNR", "ssim": "SSIM", "mse": "MSE", "lpips": "LPIPS", "psnr_y": "PSNR-Y", "ssim_y": "SSIM-Y"}


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
    datasets: list[DatasetAbout]
    methods: list[MethodAbout]
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
