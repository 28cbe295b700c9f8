"""A stage of a chain made ready: its weights are found (or trained), its options decided, its cell named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from drivederain import __version__
from drivederain.chain_expression import ChainSpec
from drivederain.engine.cells import Cell
from drivederain.engine.device import DeviceRunner
from drivederain.engine.keys import ENGINE_VERSION, key_of
from drivederain.engine.options import key_options
from drivederain.errors import SpecError
from drivederain.implementation import load_implementation
from drivederain.method import Method, Refiner
from drivederain.results.schema import Status
from drivederain.specs import MethodSpec
from drivederain.weights import FoundWeights, read_weights


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
    batch: int = 1
    tile: int | None = None
    """Instead of the spec's."""
    code: str = ""
    """Hash of the plugin's code, as of ``code_of``."""
    status: Status = "ok"
    reason: str = ""
    traceback: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def draws_noise(self) -> bool:
        """Whether its outputs depend on the seed, or those of a stage before it do."""
        own = self.spec.stochastic and not getattr(self.options, "deterministic", False)
        return own or (self.before is not None and self.before.draws_noise)

    @property
    def own_masks(self) -> bool:
        """Whether the method itself uses the drop masks of the data, as its options are."""
        return self.spec.needs.mask and bool(getattr(self.options, "uses_masks", True))

    @property
    def uses_masks(self) -> bool:
        """Whether its outputs depend on the drop masks, or those of a stage before it do."""
        return self.own_masks or (self.before is not None and self.before.uses_masks)

    @property
    def usable(self) -> bool:
        return self.status == "ok" and (self.before is None or self.before.usable)

    @property
    def problem(self) -> tuple[Status, str]:
        """Why the chain cannot be used, its own problem or that of a stage before it: status and reason."""
        if self.status == "ok" and self.before is not None and not self.before.usable:
            status, reason = self.before.problem
            return status, f"{self.before.chain.name} before it: {reason}"
        return self.status, self.reason

    @property
    def all_stages(self) -> list[ReadyStage]:
        """The stages of the chain, the first one first."""
        return [*(self.before.all_stages if self.before else []), self]

    def key_parts(self) -> dict[str, Any]:
        """Everything that changes this cell's outputs, but for the pictures."""
        return {
            "engine": ENGINE_VERSION,
            # The name of a file is not what is in it.
            "method": self.spec.family or self.spec.name,
            "method_version": self.spec.version,
            "implementation": self.spec.implementation,
            **({"code": self.code} if self.code else {}),
            "kind": self.spec.kind,
            "options": key_options(self.options),
            "weights": self.found.sha256 if self.found else "",
            "before": self.before.key_parts() if self.before else None,
            "device": self.device.type,
            "precision": self.precision,
            "needs": {
                name: value
                for name, value in asdict(self.spec.needs).items()
                # Masks are named by the groups of outputs.
                if name not in ("precisions", "mask")
            }
            | ({"tile": self.tile} if self.tile is not None and self.spec.needs.may_tile else {}),
            "threads": torch.get_num_threads() if self.device.type == "cpu" else 0,
            "batch": self.batch,
            "seed": self.seed if self.spec.stochastic else None,
            "torch": torch.__version__,
            "drivederain": __version__,
        }

    def recipe(self) -> str:
        """Hash of what the method is, whatever machine it runs on; the key of its cell holds the machine too."""
        return key_of(_without_machine(self.key_parts()))

    def cell(self, cache: Path) -> Cell:
        return Cell(cache, self.key_parts())

    def load(self, *, allow_lower_precision: bool = False) -> DeviceRunner:
        """Load the method on its device. Whatever it raises is the caller's to note."""
        method = make_method(self.spec, self.options, may_download=self.may_download)
        method.load(read_weights(self.found.path, sha256=self.found.sha256) if self.found else None, self.device)
        self.facts = plain_facts(method)
        return DeviceRunner(
            method,
            self.spec,
            self.device,
            precision=self.precision,
            seed=self.seed,
            tile=self.tile if self.spec.needs.may_tile else None,
            allow_lower_precision=allow_lower_precision,
        )

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


def _without_machine(parts: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in parts.items() if name not in ("device", "threads", "torch")}
    return own | {"before": _without_machine(own["before"]) if own["before"] else None}


def make_method(spec: MethodSpec, options: Any, *, may_download: bool) -> Method:
    """The method, not loaded yet.

    Raises:
        SpecError: its class cannot be imported, or is not what the spec says it is.
    """
    owner = f"method {spec.name}"
    made = load_implementation(spec.implementation, owner=owner, requires=spec.requires, extra=spec.extra)
    wanted = Refiner if spec.kind == "refiner" else Method
    if not issubclass(made, wanted) or (spec.kind == "stage" and issubclass(made, Refiner)):
        raise SpecError(
            f"{owner}: {spec.implementation} must be a sub-class of drivederain.method.{wanted.__name__}, "
            f"since the method is a {spec.kind}"
        )
    method: Method = made(options)
    method.may_download = may_download
    return method


def plain_facts(method: Method) -> dict[str, str | int | float | bool]:
    """What the method says of itself; values that JSON does not have become text."""
    return {
        str(name): value if isinstance(value, str | int | float | bool) else str(value)
        for name, value in method.facts().items()
    }
