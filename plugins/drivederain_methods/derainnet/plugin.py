"""Entry point of DerainNet."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, PresetSpec
from drivederain_methods.published import BY_MPRNET, on_rain13k

_OFFICIAL = PresetSpec(
    name="derainnet-official",
    summary="its author's: 200,000 steps of Adam on squared error, batches of 10 at 64 pixels",
    training={
        "crop": 64,
        "batch_size": 10,
        "flip": 0.0,
        "jitter": 0.0,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "schedule": "constant",
        "warm_up": 0.0,
        "gradient_clip": None,
        "ema": 0.0,
    },
    budget="200000 steps",
    source="the training code that X. Fu published for the paper, which is a re-implementation of it",
)


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="derainnet",
            summary="DerainNet: three convolutions clean the detail that a guided filter takes off the picture",
            kind="stage",
            implementation="drivederain_methods.derainnet.method:DerainNetMethod",
            options="drivederain_methods.derainnet.options:DerainNetOptions",
            # 512 channels at full resolution: 2 GB for a megapixel.
            needs=Needs(eight_bit="truncate", tile=512),
            trainable=True,
            licence="Apache-2.0 (this code; the official repository names no licence)",
            paper="Fu et al., Clearing the Skies, IEEE TIP 26(6), 2017, arXiv:1609.02087",
            presets=(_OFFICIAL,),
            published=on_rain13k(
                (22.77, 0.810), (14.92, 0.592), (27.03, 0.884), (24.31, 0.861), (23.38, 0.835), source=BY_MPRNET
            ),
        )
    ]
