"""All that a training needs to go on as if it had never stopped, in one file of tensors and plain values.

Order, crops, rain and the noise of dropout are not in it: they follow from the seed and the place in the data.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer

from drivederain.errors import DataError
from drivederain.results.run_folder import write_atomically
from drivederain.results.training_history import EpochRecord
from drivederain.training.averages import Averages
from drivederain.training.draws import Place

STATE_VERSION = 1


@dataclass
class Position:
    """How far a training is.

    ``means`` are the running means of the loss terms, ``partial`` their sums over the epoch so far, with their number
    under ``count``.
    """

    place: Place = field(default_factory=Place)
    step: int = 0
    seconds: float = 0.0
    means: dict[str, float] = field(default_factory=dict)
    partial: dict[str, float] = field(default_factory=dict)
    history: list[EpochRecord] = field(default_factory=list)


def save_state(
    path: Path, position: Position, trainer: Trainer, module: LightningModule, averages: Averages | None
) -> None:
    """Write the state atomically.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    state = {
        "version": STATE_VERSION,
        "place": asdict(position.place),
        "step": position.step,
        "seconds": position.seconds,
        "means": position.means,
        "partial": position.partial,
        "history": [record.row() for record in position.history],
        "module": trained(module.state_dict(), module),
        "averages": trained(averages.state(), module) if averages else {},
        "updates": averages.updates if averages else 0,
        "optimizers": [optimizer.state_dict() for optimizer in trainer.optimizers],
        "schedules": [_plain(schedule.state_dict()) for schedule in _schedules(trainer, module)],
        "precision": trainer.precision_plugin.state_dict(),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def read_state(path: Path) -> dict[str, Any]:
    """The state as it was written.

    Raises:
        DataError: it cannot be read, is damaged, of another version, or holds anything but tensors and plain values.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except pickle.UnpicklingError as error:
        raise DataError(f"{path}: refused, for it is damaged, or reading it would run code that it carries") from error
    # Readers answer damaged files with whatever they ran into: RuntimeError, EOFError, KeyError, BadZipFile ...
    except Exception as error:
        raise DataError(f"{path} is damaged ({' '.join(str(error).split())[:200]}). Start anew.") from error
    if not isinstance(state, dict) or state.get("version") != STATE_VERSION:
        version = state.get("version") if isinstance(state, dict) else "unknown"
        raise DataError(f"{path} has version {version}, this program reads {STATE_VERSION}. Start the training anew.")
    return state


def position_of(state: Mapping[str, Any]) -> Position:
    """How far the training was."""
    return Position(
        place=Place(**state["place"]),
        step=state["step"],
        seconds=state["seconds"],
        means=dict(state["means"]),
        partial=dict(state["partial"]),
        history=[EpochRecord.from_row(row) for row in state["history"]],
    )


def restore(state: Mapping[str, Any], trainer: Trainer, module: LightningModule, averages: Averages | None) -> None:
    """Put everything back into a trainer whose optimisers are made.

    Raises:
        DataError: the state is that of another network.
    """
    try:
        missing, unknown = module.load_state_dict(state["module"], strict=False)
        missing = list(trained(dict.fromkeys(missing), module))
        if missing or unknown:
            raise ValueError((missing or unknown)[0])
        for optimizer, kept in zip(trainer.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        for schedule, kept in zip(_schedules(trainer, module), state["schedules"], strict=True):
            schedule.load_state_dict(kept)
    except (ValueError, RuntimeError, KeyError) as error:
        raise DataError(f"the checkpoint is that of another network or recipe ({str(error)[:200]})") from error
    if averages is not None:
        averages.load(state["averages"], state["updates"])
    trainer.precision_plugin.load_state_dict(state["precision"])


LOSS = "loss."
"""What names of a module's loss begin with."""


def trained(state: Mapping[str, Any], module: LightningModule) -> dict[str, Any]:
    """What is named as in a module's state, without the frozen networks of its loss, which ship with the package."""
    learned = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    return {name: value for name, value in state.items() if name in learned or not name.startswith(LOSS)}


def _schedules(trainer: Trainer, module: LightningModule) -> list[Any]:
    plateau = getattr(module, "plateau", None)
    return [config.scheduler for config in trainer.lr_scheduler_configs] + ([plateau] if plateau is not None else [])


def _plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """What torch's schedules say of themselves, without their functions and settings that are made again."""
    kinds = (int, float, str, bool, list, type(None))
    return {name: value for name, value in state.items() if isinstance(value, kinds)}
