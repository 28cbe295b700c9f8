"""What ``tune unet`` tries: the plan's values, in the plan's order."""

from __future__ import annotations

from typing import Any

from drivederain.specs import VariableSpec


def _each(option: str, *values: Any) -> tuple[dict[str, Any], ...]:
    return tuple({option: value} for value in values)


GRID = (
    VariableSpec("resolution", tuple({"training.size": side, "training.crop": side} for side in (256, 512))),
    # The decoder of smp has as many channels as the encoder has stages.
    VariableSpec(
        "depth",
        (
            {"depth": 4, "decoder_channels": (256, 128, 64, 32)},
            {"depth": 5, "decoder_channels": (256, 128, 64, 32, 16)},
        ),
        when={"architecture": "smp"},
    ),
    VariableSpec("depth", _each("depth", 4, 5), when={"architecture": "custom"}),
    VariableSpec(
        "channels",
        _each("decoder_channels", (128, 64, 32, 16), (256, 128, 64, 32)),
        when={"architecture": "smp", "depth": 4},
    ),
    VariableSpec(
        "channels",
        _each("decoder_channels", (128, 64, 32, 16, 8), (256, 128, 64, 32, 16)),
        when={"architecture": "smp", "depth": 5},
    ),
    VariableSpec("channels", _each("width", 32, 64), when={"architecture": "custom"}),
    VariableSpec("encoder", _each("encoder", "resnet34", "resnet50", "efficientnet-b0"), when={"architecture": "smp"}),
    VariableSpec("vgg_weight", _each("training.losses.vgg", 0.0, 0.1, 0.3, 0.5)),
    VariableSpec("ssim_weight", _each("training.losses.ssim", 0.1, 0.2, 0.3)),
    VariableSpec("learning_rate", _each("training.learning_rate", 5e-5, 1e-4, 2e-4)),
    VariableSpec("batch_size", _each("training.batch_size", 8, 16)),
    VariableSpec("optimizer", _each("training.optimizer", "adam", "adamw", "sgd")),
    # The plan lets the rate fall after 30, 50 and 80 of 100 epochs; these are the same shares of 25.
    VariableSpec(
        "schedule",
        (
            {"training.schedule": "plateau"},
            {"training.schedule": "cosine"},
            {"training.schedule": "step", "training.milestones": (8, 13, 20)},
        ),
    ),
    VariableSpec(
        "augmentation",
        ({"training.flip": 0.5, "training.jitter": 0.15}, {"training.flip": 0.0, "training.jitter": 0.0}),
    ),
)
