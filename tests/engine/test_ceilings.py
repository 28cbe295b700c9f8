"""Ceilings of the stages of chains: found once each, and named shortly."""

from __future__ import annotations

from typing import Any

import torch

from drivederain.chain_expression import ChainSpec
from drivederain.engine.ceilings import ceiling_stage, ceilings_of
from drivederain.engine.stages import ReadyStage
from drivederain.registry import Registry
from drivederain_methods.diffusion.options import DiffusionOptions

CPU = torch.device("cpu")


def ready(registry: Registry, options: DiffusionOptions, before: ReadyStage | None, **more: Any) -> ReadyStage:
    spec = registry.method("diffusion")
    chain = ChainSpec("unet+diffusion" if before is None else f"{before.chain.name}+diffusion", (spec,))
    return ReadyStage(chain, spec, options, None, before, CPU, "fp32", 0, **more)


def test_a_chain_with_the_method_twice_has_its_ceiling_once(registry: Registry) -> None:
    base = "/models/" + "long name " * 40
    options = DiffusionOptions(model="instruct-pix2pix", base=base, tile=512)
    first = ready(registry, options, None, tile=640)
    second = ready(registry, options, first)
    ((name, (ceiling, of)),) = ceilings_of([first, second]).items()
    assert [stage.chain.name for stage in of] == ["unet+diffusion", "unet+diffusion+diffusion"]
    assert len(name) < 60, "it becomes the name of a log"
    stage = ceiling_stage(name, ceiling, first, registry)
    assert (stage.spec.name, stage.options.base, stage.options.tile, stage.tile) == ("vae", base, 512, 640)


def test_a_bridge_has_none(registry: Registry) -> None:
    assert ceilings_of([ready(registry, DiffusionOptions(), None)]) == {}
