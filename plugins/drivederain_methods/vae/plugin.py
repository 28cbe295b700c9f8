"""Entry point of the round trip."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="vae",
            summary="round trip through the autoencoder of a latent diffusion: what a plain decode of it loses",
            kind="stage",
            implementation="drivederain_methods.vae.method:VAERoundTrip",
            options="drivederain_methods.vae.options:VAEOptions",
            # Those of the refiner, so that its pictures meet the same padding and the same tiles.
            needs=Needs(multiple=64, minimum=64, tiles_itself=True),
            needs_weights=False,
            licence="that of the model",
            paper="Rombach et al., Latent Diffusion Models, CVPR 2022, arXiv:2112.10752",
        )
    ]
