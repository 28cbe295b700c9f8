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
            # Latents are of 8 x 8 pixels; tiles are those of the refiner.
            needs=Needs(multiple=8, minimum=32, tile=768, tile_overlap=128),
            needs_weights=False,
            licence="that of the model",
            paper="Rombach et al., Latent Diffusion Models, CVPR 2022, arXiv:2112.10752",
        )
    ]
