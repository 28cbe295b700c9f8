"""What the page says of how weights were trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from drivederain.results.run_folder import RunFolder, folder_name
from drivederain_reports.charts.figure import Figure
from drivederain_reports.charts.training import loss_chart, psnr_chart
from drivederain_reports.figures import MISSING, number, plural, seconds, signed
from drivederain_reports.pictures import Previews, PreviewSize
from drivederain_reports.run_about import RunAbout, TrainingAbout

FOLDER = "training"
"""In the run's folder: ``training/CHAIN/samples.png`` and ``real.png``."""
SIZES = (PreviewSize(1280, 86), PreviewSize(960, 84), PreviewSize(640, 82))
PAGE_BYTES = 1_500_000
"""What the pictures of all trainings may take together, packed as text."""
Name = Literal["samples", "real"]
CAPTIONS: dict[Name, str] = {"samples": "Validation pictures", "real": "Real photos without ground truth"}


@dataclass(frozen=True)
class Sheet:
    """A picture of many, which ``train`` made after an epoch."""

    caption: str
    epoch: int
    address: str
    """``data:`` address, "" where the page has no room for it."""
    file: str
    """The lossless file, relative to the page."""
    width: int
    height: int


@dataclass(frozen=True)
class Setting:
    """A hyperparameter in words."""

    name: str
    value: str
    default: str
    """"" where this version has no such hyperparameter."""
    differs: bool
    meaning: str


@dataclass(frozen=True)
class Training:
    """One training with its drawings."""

    about: TrainingAbout
    charts: tuple[Figure, ...]
    sheets: tuple[Sheet, ...]
    settings: tuple[Setting, ...]

    @property
    def length(self) -> str:
        """How long it was."""
        about = self.about
        whole = f" in {plural(about.epochs, 'epoch')}" if about.epochs else ", less than an epoch"
        words = f"{plural(about.steps, 'step')}{whole}" if about.steps else plural(about.history_epochs, "epoch")
        return words if about.seconds is None else f"{words}, {seconds(about.seconds)}"

    @property
    def end(self) -> str:
        """Why it ended, as far as that is known."""
        about = self.about
        if about.status == "running":
            return "It had not ended when this run used it"
        if about.stop_reason:
            return f"{'Failed' if about.status == 'failed' else 'Ended'}: {about.stop_reason}"
        return "The weights were kept while it went on; how it ended is not recorded with them"

    @property
    def change(self) -> str:
        """``better`` or ``worse`` than the rainy input, by PSNR of the best epoch; "" where that is not known."""
        gain = self._gain
        return "" if gain is None else "better" if gain > 0 else "worse"

    @property
    def gain(self) -> str:
        """PSNR of the best epoch over the rainy input."""
        return f"{signed(self._gain, 2)} dB"

    @property
    def _gain(self) -> float | None:
        best, rainy = self.about.best, self.about.rainy.psnr
        return None if best is None or best.psnr is None or rainy is None else best.psnr - rainy

    @property
    def losses(self) -> str:
        """Running means by term when the weights were kept."""
        known = {name: value for name, value in self.about.losses.items() if value is not None}
        terms = [f"{name} {number(value, 4)}" for name, value in known.items() if name != "loss"]
        total = number(known.get("loss"), 4)
        return "" if total == MISSING else f"{total} ({', '.join(terms)})" if len(terms) > 1 else total


def trainings(run: RunFolder, about: RunAbout, previews: Previews) -> list[Training]:
    """Those of the run, with as large previews of their pictures as the page has room for."""
    fitting = (size for size in SIZES if _bytes(run, about.trainings, previews, size) <= PAGE_BYTES)
    size = next(fitting, SIZES[-1])
    room, made = PAGE_BYTES, []
    for place, each in enumerate(about.trainings):
        name = f"training-{place}-{folder_name(each.chain)}".lower()
        sheets = []
        for kind, path in _pictures(run, each):
            preview = previews.picture(path, size)
            if preview is None:
                continue
            address = preview.address if len(preview.address) <= room else ""
            room -= len(address)
            file = f"../{FOLDER}/{path.parent.name}/{path.name}"
            sheets.append(Sheet(CAPTIONS[kind], each.pictures[kind], address, file, preview.width, preview.height))
        charts = tuple(chart for chart in (psnr_chart(each, name), loss_chart(each, name)) if chart is not None)
        made.append(Training(each, charts, tuple(sheets), tuple(_settings(each))))
    return made


def without_history(about: RunAbout) -> list[tuple[str, str]]:
    """Stages whose weights say nothing of their epochs, and the classes of the weights, each once."""
    known = {training.sha256 for training in about.trainings}
    found = [
        (each.stage, each.weights_class)
        for method in about.methods
        for each in method.weights
        if each.sha256 not in known
    ]
    return list(dict.fromkeys(found))


def _pictures(run: RunFolder, training: TrainingAbout) -> list[tuple[Name, Path]]:
    folder = run.path / FOLDER / folder_name(training.chain)
    return [(name, folder / f"{name}.png") for name in CAPTIONS if name in training.pictures]


def _bytes(run: RunFolder, found: Sequence[TrainingAbout], previews: Previews, size: PreviewSize) -> int:
    paths = [path for training in found for _, path in _pictures(run, training)]
    return sum(len(preview.address) for path in paths if (preview := previews.picture(path, size)) is not None)


def _settings(training: TrainingAbout) -> list[Setting]:
    return [
        Setting(
            each.name,
            _words(each.value),
            _words(each.default) if each.known else "",
            each.known and each.value != each.default,
            each.meaning,
        )
        for each in training.hyperparameters
    ]


def _words(value: Any) -> str:
    """A value as one would type it."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_words(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)
