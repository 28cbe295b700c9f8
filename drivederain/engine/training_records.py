"""How the weights of a run were trained, for ``run.json`` and the report: from the files' own metadata.

Weights that lie in a folder of ``train`` also have there what came after they were kept, why the training ended, the
scores of the rainy input, and pictures, which are copied into the run's folder: it stays whole without the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drivederain.data.decode import decode
from drivederain.engine.stages import ReadyStage
from drivederain.engine.train import TIMES
from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder, folder_name, write_atomically
from drivederain.results.training_folder import TrainingFolder
from drivederain.results.training_history import read_history
from drivederain.training.curves import PLAN_PSNR
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.weights import FoundWeights

FOLDER = "training"
"""In the run's folder: ``training/CHAIN/samples.png`` and ``real.png``."""

MOST_EPOCHS = 400
"""Rows of a history that are kept; more than a chart has room for only make ``run.json`` large."""

MOST = 10**9
"""Epochs and steps. Metadata that say more are not ours."""

MOST_BYTES = 16 * 2**20
"""Of a picture that is copied."""

Row = dict[str, float | None]
"""An epoch, as ``EpochRecord.row`` gives it without times; ``None`` for what was not measured or is not finite."""


def training_records(
    stages: Mapping[str, ReadyStage], run: RunFolder, warn: Callable[[str], None]
) -> list[dict[str, Any]]:
    """One record for each weights file with a history, however many chains use it, in the order of the chains.

    Args:
        stages: of the run, by the name of the chain.
        run: its ``training/`` gets the newest pictures, and loses those of an earlier run.
        warn: told what was left out because it is damaged.
    """
    found: dict[str, ReadyStage] = {}
    used: dict[str, list[str]] = {}
    for name, stage in stages.items():
        for each in stage.all_stages:
            if each.found is not None and _history(each.found):
                found.setdefault(each.found.sha256, each)
                used.setdefault(each.found.sha256, []).append(name)
    records, kept = [], set[Path]()
    for sha256, stage in found.items():
        record = {"used_in": used[sha256], **_record(stage, warn)}
        record["pictures"] = {}
        folder = _folder(stage)
        for name, sheets in (("samples", folder.sample(0).parent), ("real", folder.real(0).parent)) if folder else ():
            target = run.path / FOLDER / folder_name(stage.chain.name) / f"{name}.png"
            epoch = _copy_newest(sheets, target, warn)
            if epoch is not None:
                record["pictures"][name] = epoch
                kept.add(target)
        records.append(record)
    _remove_others(run, kept)
    return records


def planned_epochs(budget: str, rows: Sequence[Row]) -> int | None:
    """Epochs of a budget in words, as ``100 epochs or 5000 steps``; ``None`` where it is one of time."""
    limits = []
    if match := re.search(r"(?<!\S)(\d{1,9}) epochs?\b", budget):
        limits.append(int(match[1]))
    if rows and (match := re.search(r"(?<!\S)(\d{1,9}) steps?\b", budget)):
        # The row of a whole epoch: one that was cut short has fewer steps.
        steps_per_epoch = max((row["step"] or 1) / (row["epoch"] or 1) for row in rows)
        limits.append(math.ceil(int(match[1]) / steps_per_epoch - 1e-9))
    return min((limit for limit in limits if 1 <= limit <= MOST), default=None)


def _record(stage: ReadyStage, warn: Callable[[str], None]) -> dict[str, Any]:
    assert stage.found is not None
    about, own = stage.found.about["training"], _history(stage.found)
    folder = _folder(stage)
    beside = _beside(folder, own, warn) if folder is not None else None
    told, rows = beside if beside is not None else ({}, own)
    budget = _text(about.get("budget")) or stage.found.budget
    return {
        "method": stage.spec.name,
        "chain": stage.chain.name,
        "behind": stage.found.behind,
        "weights_class": stage.found.weights_class,
        "weights_name": stage.found.name,
        "sha256": stage.found.sha256,
        "weights_epoch": own[-1]["epoch"],
        "trained_on": stage.found.trained_on,
        "samples": _whole(about.get("samples")),
        "scenes": _whole(about.get("scenes")),
        "validated_on": _text(told.get("validated_on")),
        "validation_samples": _whole(told.get("validation_samples")),
        "budget": budget,
        "planned_epochs": planned_epochs(budget, rows),
        "status": _text(told.get("status")),
        "stop_reason": _text(told.get("stop_reason")) or _text(about.get("stop_reason")),
        "steps": _whole(told.get("steps")) or _whole(about.get("steps")),
        "epochs": _whole(told.get("epochs")) or _whole(about.get("epochs")),
        "seconds": _number(told.get("seconds")),
        "precision": _text(about.get("precision")),
        "best_epoch": _best(rows),
        "losses": _numbers(about.get("losses")),
        "rainy": _numbers(told.get("rainy")),
        "expected_psnr": [list(band) for band in PLAN_PSNR],
        "hyperparameters": _hyperparameters(about.get("hyperparameters"), _numbers(about.get("losses"))),
        "history": _thinned(rows, {_best(rows), own[-1]["epoch"]}),
        "history_epochs": len(rows),
    }


def _folder(stage: ReadyStage) -> TrainingFolder | None:
    """The folder of ``train`` that the weights lie in."""
    assert stage.found is not None
    path = stage.found.path.resolve()
    folder = TrainingFolder(path.parent.parent)
    return folder if path.parent == folder.checkpoints and folder.record.is_file() else None


def _beside(
    folder: TrainingFolder, own: Sequence[Row], warn: Callable[[str], None]
) -> tuple[dict[str, Any], list[Row]] | None:
    """What the folder says of the training and all its epochs; ``None`` where it is damaged or of another training."""
    try:
        told = folder.read_record()
        rows = _rows([record.row() for record in read_history(folder.epochs)])
    except DataError as error:
        warn(f"the report has of this training only what its weights record: {error}")
        return None
    return (told, rows) if any(row == own[-1] for row in rows) else None


def _history(found: FoundWeights) -> list[Row]:
    """The epochs in the metadata, which anybody may have written; empty where there are none."""
    training = found.about.get("training")
    return _rows(training.get("history")) if isinstance(training, Mapping) else []


def _rows(history: Any) -> list[Row]:
    """Rows with their numbers; empty where any is no epoch."""
    if not isinstance(history, list):
        return []
    rows = []
    for each in history:
        row = _numbers(each)
        if not all(isinstance(row.get(name), int) and 1 <= (row[name] or 0) <= MOST for name in ("epoch", "step")):
            return []
        rows.append({name: value for name, value in row.items() if name not in TIMES})
    return rows


def _numbers(values: Any) -> Row:
    """Those of a mapping; texts and lists are left out, an empty text is a missing number."""
    if not isinstance(values, Mapping):
        return {}
    return {
        str(name): _number(value)
        for name, value in values.items()
        if value is None or value == "" or isinstance(value, int | float)
    }


def _number(value: Any) -> float | None:
    """A number that a chart can show."""
    return value if isinstance(value, int | float) and abs(value) <= 1e15 else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= 10**15 else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _best(rows: Iterable[Row]) -> float | None:
    """The first epoch with the highest validation PSNR; ``None`` where nothing was validated."""
    scored = [(psnr, row["epoch"]) for row in rows if (psnr := row.get("psnr")) is not None]
    return max(scored, key=lambda each: each[0], default=(None, None))[1]


def _thinned(rows: Sequence[Row], always: set[float | None]) -> list[Row]:
    """At most ``MOST_EPOCHS`` rows, evenly chosen among the validated ones, if there are any, and some always."""
    if len(rows) <= MOST_EPOCHS:
        return list(rows)
    always = {*always, rows[0]["epoch"], rows[-1]["epoch"]}
    epochs = [row["epoch"] for row in rows if row.get("psnr") is not None] or [row["epoch"] for row in rows]
    number = MOST_EPOCHS - len(always)
    chosen = {epochs[place * len(epochs) // number] for place in range(number)} | always
    return [row for row in rows if row["epoch"] in chosen]


def _hyperparameters(values: Any, measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, value, the program's own default (a method's may differ from it) and meaning, in the order of the class.

    Args:
        values: by name.
        measured: the terms of the loss. Of a method that is trained on a loss of its own, ``losses`` is left out.
    """
    if not isinstance(values, Mapping):
        return []
    terms = values.get("losses")
    if measured and isinstance(terms, Mapping) and not terms.keys() & measured.keys():
        values = {name: value for name, value in values.items() if name != "losses"}
    known, defaults = Hyperparameters.model_fields, Hyperparameters().model_dump(mode="json")
    names = [*(name for name in known if name in values), *(name for name in values if name not in known)]
    return [
        {
            "name": str(name),
            "value": values[name],
            "default": defaults.get(name),
            "known": name in known,
            "meaning": (known[name].description or "") if name in known else "",
        }
        for name in names
    ]


def _copy_newest(sheets: Path, target: Path, warn: Callable[[str], None]) -> int | None:
    """Copy the picture of the highest epoch; that epoch, or ``None`` where there is none to show."""
    there = {
        int(match[1]): path for path in _files(sheets) if (match := re.fullmatch(r"epoch_(\d{1,9})\.png", path.name))
    }
    if not there:
        return None
    epoch, source = max(there.items())
    try:
        if source.stat().st_size > MOST_BYTES:
            raise DataError(f"{source}: more than {MOST_BYTES // 2**20} MB")
        data = source.read_bytes()
        decode(data, source.name)
        write_atomically(target, data)
    except (DataError, OSError) as error:
        warn(f"a picture of the training is left out of the report: {error}")
        return None
    return epoch


def _files(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where there is none, or none that may be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _remove_others(run: RunFolder, kept: set[Path]) -> None:
    """Remove the pictures that an earlier run left, and nothing else."""
    for folder in _files(run.path / FOLDER):
        for path in (folder / "samples.png", folder / "real.png"):
            if path not in kept:
                path.unlink(missing_ok=True)
        if folder.is_dir() and not _files(folder):
            folder.rmdir()
