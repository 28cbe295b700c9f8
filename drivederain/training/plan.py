"""Whether hyperparameters, data and devices fit each other."""

from __future__ import annotations

import torch

from drivederain.errors import OptionError
from drivederain.training.data import TrainingData
from drivederain.training.devices import Devices
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.losses.names import check_crop
from drivederain.training.progress import Budget


def check_plan(
    hyperparameters: Hyperparameters,
    data: TrainingData,
    devices: Devices,
    budget: Budget,
    *,
    refines: bool,
    validates: bool,
) -> None:
    """Refuse a training that could not be done as asked, before anything of it is done.

    Args:
        refines: a refiner is trained, on estimates of a stage before it.
        validates: the validation pictures will be scored.

    Raises:
        OptionError: hyperparameters, data and devices do not fit each other; the message names the option.
    """
    for term, weight in hyperparameters.losses.items():
        if weight:
            check_crop(term, hyperparameters.smallest_crop)
    validated = validates and bool(data.validation)
    needs = {
        "schedule=plateau": hyperparameters.schedule == "plateau",
        f"patience={hyperparameters.patience}": hyperparameters.patience is not None,
        f"target_psnr={hyperparameters.target_psnr}": hyperparameters.target_psnr is not None,
        f"target_ssim={hyperparameters.target_ssim}": hyperparameters.target_ssim is not None,
    }
    for words, needed in needs.items():
        if needed and not validated:
            raise OptionError(f"{words} goes by validation pictures, and there are none. Give --val-data SPEC.")
    if hyperparameters.consistency and not data.photos:
        raise OptionError(
            f"consistency={hyperparameters.consistency:g} needs rainy photos without truth. Give --real PHOTOS."
        )
    if hyperparameters.consistency and refines:
        raise OptionError("consistency is for stages: a refiner's views would need estimates of their own")
    if devices.precision == "fp16" and devices.device.type == "cpu":
        raise OptionError("training in fp16 needs a GPU (its gradients are scaled there). Use bf16 or fp32.")
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(devices.device.type, devices.count)
    if devices.count > there:
        raise OptionError(f"--devices {devices.count}: this machine has {there} for --device {devices.device.type}")
    several = (devices.count, devices.nodes) != (1, 1)
    if several and budget.minutes is not None:
        raise OptionError("several devices have a clock each: give --steps or --epochs instead of minutes")
    if several and refines:
        raise OptionError("a refiner is trained on one device: its estimates are made in the process that trains")
