"""The optimiser and the learning rate over the budget, as the hyperparameters have them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from drivederain.errors import OptionError
from drivederain.training.hyperparameters import Hyperparameters

MOMENTUM = 0.9
"""Of SGD, with Nesterov's correction."""
FIRST_RATE = 1e-2
"""The least share of its peak that the learning rate has while it warms up."""
VALIDATION_LOSS = "validation/loss"
"""The name under which the validation loss is logged."""


def make_optimizer(network: nn.Module, hyperparameters: Hyperparameters) -> torch.optim.Optimizer:
    """Adam, AdamW (also with 8-bit moments) or SGD over what is trained; biases and normalisation are not decayed.

    Raises:
        OptionError: 8-bit moments are asked for, and bitsandbytes is not installed.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    decay = hyperparameters.weight_decay
    groups = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate = hyperparameters.learning_rate
    if hyperparameters.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM, nesterov=True)
    if hyperparameters.optimizer == "adamw8bit":
        kind = _eight_bit()
    else:
        kind = torch.optim.AdamW if hyperparameters.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=rate, betas=hyperparameters.betas)


def _eight_bit() -> Any:
    """AdamW whose moments take a quarter of the memory (Dettmers et al., ICLR 2022)."""
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise OptionError(
            "optimizer=adamw8bit needs bitsandbytes, not installed here. Install it with: pip install bitsandbytes; "
            "or take adamw."
        ) from error
    return AdamW8bit


def rate_of(share: float, hyperparameters: Hyperparameters) -> float:
    """The learning rate as a share of its peak when ``share`` of the budget is used.

    Linear warm-up; then with ``cosine`` the peak for ``hold``, and half a cosine down to ``final`` (Loshchilov &
    Hutter, SGDR, ICLR 2017, without restarts). The other schedules stay at the peak here.
    """
    warm_up = hyperparameters.warm_up
    if share < warm_up:
        return max(share / warm_up, FIRST_RATE)
    if hyperparameters.schedule != "cosine":
        return 1.0
    begin = warm_up + hyperparameters.hold
    if share < begin or begin >= 1:
        return 1.0
    final = hyperparameters.final
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * (share - begin) / (1 - begin)))


def make_schedules(
    optimizer: torch.optim.Optimizer, hyperparameters: Hyperparameters, share: Callable[[int], float]
) -> list[dict[str, Any]]:
    """The schedules that go by steps or epochs, as Lightning takes them.

    Args:
        share: from the number of steps to the share of the budget that is used.
    """
    if hyperparameters.schedule == "plateau":
        return []
    if hyperparameters.schedule == "step":
        steps = lr_scheduler.MultiStepLR(optimizer, list(hyperparameters.milestones), hyperparameters.factor)
        return [{"scheduler": steps, "interval": "epoch"}]
    moving = lr_scheduler.LambdaLR(optimizer, lambda step: rate_of(share(step), hyperparameters))
    return [{"scheduler": moving, "interval": "step"}]


def make_plateau(
    optimizer: torch.optim.Optimizer, hyperparameters: Hyperparameters
) -> lr_scheduler.ReduceLROnPlateau | None:
    """The schedule that goes by the validation loss, if it was asked for."""
    if hyperparameters.schedule != "plateau":
        return None
    patience = hyperparameters.plateau_patience
    return lr_scheduler.ReduceLROnPlateau(optimizer, factor=hyperparameters.factor, patience=patience)
