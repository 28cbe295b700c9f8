"""Entry point of RESCAN."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, PresetSpec
from drivederain_methods.published import BY_MPRNET, on_rain13k, on_rain200

_OFFICIAL = PresetSpec(
    name="rescan-official",
    summary="the paper's: 20,000 steps of Adam on the squared error of the rain, batches of 64 at 64 pixels",
    training={
        "crop": 64,
        "batch_size": 64,
        "flip": 0.0,
        "jitter": 0.0,
        "optimizer": "adam",
        "learning_rate": 5e-3,
        "weight_decay": 0.0,
        "schedule": "step",
        "factor": 0.1,
        # After 15,000 and 17,500 steps.
        "epoch_steps": 2500,
        "milestones": (6, 7),
        "warm_up": 0.0,
        "gradient_clip": None,
        "ema": 0.0,
    },
    budget="20000 steps",
    source="Li et al., ECCV 2018, section 4, and the settings of the official repository",
)


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="rescan",
            summary="RESCAN: dilated convolutions with memory take rain off in four stages",
            kind="stage",
            implementation="drivederain_methods.rescan.method:RESCANMethod",
            options="drivederain_methods.rescan.options:RESCANOptions",
            needs=Needs(channel_order="BGR", tile=2048),
            trainable=True,
            read_off=("unit", "depth", "channels", "squeeze"),
            licence="Apache-2.0 (this code; the official repository is MIT)",
            paper="Li et al., Recurrent Squeeze-and-Excitation Context Aggregation Net, ECCV 2018, arXiv:1807.05698",
            presets=(_OFFICIAL,),
            published=(
                *on_rain13k(
                    (25.00, 0.835), (26.36, 0.786), (29.80, 0.881), (31.29, 0.904), (30.51, 0.882), source=BY_MPRNET
                ),
                *on_rain200((36.09, 0.9697), (26.75, 0.8353)),
            ),
        )
    ]
