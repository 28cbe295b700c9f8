"""A checkpoint of any architecture that spandrel knows, as a method."""

from __future__ import annotations

import importlib.util
import warnings

import torch
from torch import Tensor

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights, Method


class SpandrelCheckpoint(Method):
    """Restores with the network that a file describes; architecture and sizes are read off its tensors."""

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        import spandrel

        if weights is None:
            raise WeightsError("checkpoint needs a file. Name it as checkpoint:PATH.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # spandrel scripts a helper, which torch deprecates
            known = spandrel.ArchRegistry()
            known.add(*spandrel.MAIN_REGISTRY)
            self.extra: set[str] = set()
            if importlib.util.find_spec("spandrel_extra_arches"):
                from spandrel_extra_arches import EXTRA_REGISTRY

                known.add(*EXTRA_REGISTRY)
                self.extra = {str(each.architecture.id) for each in EXTRA_REGISTRY}
        tensors = {
            name: value.float() if value.is_floating_point() else value for name, value in weights.tensors.items()
        }
        try:
            model = known.load(tensors)
        except spandrel.UnsupportedModelError as error:
            raise WeightsError(
                f"{weights.path}: spandrel knows no architecture with these tensors. If it is of a method that "
                "`list methods` has, give it as --weights METHOD=PATH."
            ) from error
        except (RuntimeError, LookupError, ValueError, TypeError, ZeroDivisionError, AssertionError) as error:
            raise WeightsError(
                f"{weights.path}: spandrel cannot load it ({str(error)[:200]}). Fetch it again."
            ) from error
        name = model.architecture.name
        if not isinstance(model, spandrel.ImageModelDescriptor):
            raise WeightsError(f"{weights.path}: {name} fills in what a mask leaves out; it does not restore pictures.")
        if model.scale != 1:
            raise WeightsError(
                f"{weights.path}: {name} enlarges pictures {model.scale} times; a restoring one is wanted."
            )
        if (model.input_channels, model.output_channels) != (3, 3):
            channels = f"{model.input_channels} to {model.output_channels} channels"
            raise WeightsError(f"{weights.path}: {name} of {channels}, not of RGB pictures.")
        self.model = model.to(device).eval()
        self.network = model.model

    def restore(self, rainy: Tensor) -> Tensor:
        # One by one: that is what spandrel promises. It pads to the sizes that the architecture takes.
        return torch.cat([self.model(each[None]) for each in rainy])

    def facts(self) -> dict[str, str | int | float | bool]:
        needs = self.model.size_requirements
        own = str(self.model.architecture.id) in self.extra
        return {
            "network": " ".join([self.model.architecture.name, *self.model.tags]),
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "purpose": self.model.purpose,
            "padding": f"to a multiple of {needs.multiple_of}, at least {max(1, needs.minimum)} pixels, by spandrel",
            "tiling": self.model.tiling.name.lower(),
            "licence": "academic or unclear, not for commercial use (the architecture's code, through "
            "spandrel_extra_arches); the weights' is their author's"
            if own
            else "permissive (the architecture's code, through spandrel); the weights' is their author's",
            "non_commercial": own,
        }

    def close(self) -> None:
        del self.network, self.model
