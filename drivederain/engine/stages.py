"""A stage of a chain made ready: its weights are found (or trained), its options decided, its cell named."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from drivederain import __version__
from drivederain.chain_expression import ChainSpec
from drivederain.engine.cells import Cell
from drivederain.engine.device import DeviceRunner, choose_precision
from drivederain.implementation import load_implementation
from drivederain.method import Method
from drivederain.specs import MethodSpec
from drivederain.weights import FoundWeights, read_weights

ENGINE_VERSION = 1
"""Raised whenever the engine could change an output (padding, tiling, rounding)."""


@dataclass
class ReadyStage:
    """One chain prefix whose last method can be loaded, or the reason why not."""

    chain: ChainSpec
    spec: MethodSpec
    options: Any
    found: FoundWeights | None
    before: ReadyStage | None
    device: torch.device
    precision: str
    seed: int
    may_download: bool = False
    status: str = "ok"
    reason: str = ""
    traceback: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        return self.status == "ok" and (self.before is None or self.before.usable)

    def key_parts(self) -> dict[str, Any]:
        """Everything that changes this cell's outputs, but for the pictures."""
        return {
            "engine": ENGINE_VERSION,
            "method": self.spec.name,
            "method_version": self.spec.version,
            "implementation": self.spec.implementation,
            "options": self.options.model_dump(mode="json") if self.options is not None else {},
            "weights": self.found.sha256 if self.found else "",
            "before": self.before.key_parts() if self.before else None,
            "device": self.device.type,
            "precision": self.precision,
            "tile": self.spec.needs.tile,
            "eight_bit": self.spec.needs.eight_bit,
            "threads": torch.get_num_threads() if self.device.type == "cpu" else 0,
            "batch": 1,
            "seed": self.seed if self.spec.stochastic else None,
            "torch": torch.__version__,
            "drivederain": __version__,
        }

    def cell(self, cache: Path) -> Cell:
        return Cell(cache, self.key_parts())

    def load(self) -> DeviceRunner:
        """Load the method on its device. Whatever it raises is the caller's to note."""
        method: Method = load_implementation(
            self.spec.implementation, owner=f"method {self.spec.name}", requires=self.spec.requires, extra=self.spec.extra
        )(self.options)
        method.may_download = self.may_download
        method.load(read_weights(self.found.path, sha256=self.found.sha256) if self.found else None, self.device)
        self.facts = dict(method.facts())
        return DeviceRunner(method, self.spec, self.device, precision=self.precision, seed=self.seed)

    def weights_class(self) -> str:
        """Of all stages of the chain, joined by +."""
        own = self.found.weights_class if self.found else "none"
        return f"{self.before.weights_class()}+{own}" if self.before else own

    def budget(self) -> str:
        """What the stages were trained for; "" where nothing is recorded."""
        stages = [self.before.budget()] if self.before else []
        return "+".join([*stages, self.found.budget if self.found else ""]).strip("+")

    def training_pictures(self) -> frozenset[str]:
        """Content hashes of the clear pictures that any stage of the chain was trained on."""
        own = self.found.training_pictures if self.found else frozenset()
        return own | self.before.training_pictures() if self.before else own


def stage_precision(asked: str, spec: MethodSpec, device: torch.device) -> str:
    """The precision of one stage; see ``device.choose_precision``."""
    return choose_precision(asked, spec.needs, device)
