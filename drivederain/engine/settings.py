"""What one run was asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from drivederain.engine.shards import Shard
from drivederain.specs import INTENSITIES, Intensity
from drivederain.training.progress import Budget

if TYPE_CHECKING:
    from drivederain.results.schema import Status  # pyarrow, which the help of the commands does not need

Overwrite = Literal["never", "failed", "always"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class RunSettings:
    """The options of ``run``, after the suite was read. See ``drivederain-bench run --help`` for each."""

    methods: tuple[str, ...]
    data: tuple[str, ...]
    out: Path
    cache: Path
    suite: str = ""
    metrics: tuple[str, ...] = ("psnr", "ssim", "mse", "psnr_y", "ssim_y", "lpips")
    intensities: tuple[Intensity, ...] = INTENSITIES
    device: str = "auto"
    precision: Precision = "auto"
    size: int | None = None
    seed: int = 0
    samples: int = 1
    """Outputs of every chain that draws noise, each with a seed of its own; their scores tell the spread."""
    limit: int | None = None
    clear_input: int = 0
    """Clear pictures of each test set that are given to the methods as input too, at most."""
    weights: Mapping[str, Path] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Method -> option -> value, as typed."""
    data_options: Mapping[str, str] = field(default_factory=dict)
    train: bool | None = None
    """``None``: train what has no weights; ``False``: never; ``True``: train every trainable method."""
    train_data: str | None = None
    budget: Budget = field(default_factory=lambda: Budget(steps=600))
    overwrite: Overwrite = "never"
    timeout: float | None = 3600.0
    """Seconds that a method may take for one picture; ``None``: no limit."""
    method_timeout: float | None = None
    """Seconds that one stage may take for all pictures, or for its training; ``None``: no limit."""
    memory_limit: int | None = None
    """Bytes that the process of a method may hold (``process.held_bytes``); ``None``: no limit."""
    isolate: bool = True
    """Each method in a process of its own, so that what it does wrong costs its own cells and nothing else."""
    batch: int = 1
    """Pictures that go through a network together, as far as they are of one size."""
    tile: int | None = None
    """Side of the tiles that larger pictures are cut into, where the method may be; ``None``: the method's own."""
    lower_precision: bool = False
    """Allow a lower precision when memory is short even for the smallest tiles."""
    skip_bad: bool = False
    download: bool = False
    shard: Shard | None = None
    """The part of the test data that is run; ``None``: all of it."""
    command: tuple[str, ...] = ()

    def tries_again(self, status: Status, limit: float | None) -> bool:
        """Whether a picture that a method failed on is tried once more: if asked for, or with more time or memory.

        Args:
            limit: what was exceeded (seconds for ``timeout``, else bytes); ``None``: it would fail in the same way.
        """
        if self.overwrite != "never":
            return True
        if limit is None:
            return False
        now = self.timeout if status == "timeout" else self.memory_limit
        return now is None or now > limit
