"""The networks of a loaded method: their memory format and their size."""

from __future__ import annotations

import torch

from drivederain.method import Method
from drivederain.specs import Needs


def prepare_networks(method: Method, needs: Needs) -> None:
    """Bring the method's networks into the memory format that its spec asks for."""
    if needs.channels_last:
        for network in method.networks():
            network.to(memory_format=torch.channels_last)


def parameters(method: Method) -> int | None:
    """How many parameters the method's networks have, shared ones once; ``None`` for a method without networks."""
    networks = method.networks()
    if not networks:
        return None
    counts: dict[int, int] = {id(each): each.numel() for network in networks for each in network.parameters()}
    return sum(counts.values())


def is_compiled(method: Method) -> bool:
    """Whether ``torch.compile`` wraps any of the method's networks or a part of one."""
    return any(
        "_orig_mod" in module._modules or getattr(module, "_compiled_call_impl", None) is not None
        for network in method.networks()
        for module in network.modules()
    )
