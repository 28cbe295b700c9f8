"""Entry point of the baselines."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs

_LICENCE = "Apache-2.0"


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="identity",
            summary="the rainy input as it is: the reference row",
            kind="stage",
            implementation="drivederain_methods.baselines.identity:Identity",
            needs=Needs(precisions=("fp32",)),
            needs_weights=False,
            licence=_LICENCE,
        ),
        MethodSpec(
            name="median",
            summary="median filter: knows nothing of rain",
            kind="stage",
            implementation="drivederain_methods.baselines.filters:Median",
            options="drivederain_methods.baselines.options:MedianOptions",
            needs_weights=False,
            licence=_LICENCE,
        ),
        MethodSpec(
            name="guided",
            summary="guided filter with the picture as its own guide: smooths, keeps edges, knows nothing of rain",
            kind="stage",
            implementation="drivederain_methods.baselines.filters:Guided",
            options="drivederain_methods.baselines.options:GuidedOptions",
            needs_weights=False,
            licence=_LICENCE,
            paper="He et al., Guided Image Filtering, ECCV 2010",
        ),
        MethodSpec(
            name="inpaint",
            summary="drops, estimated or from the data's masks, filled from around them by OpenCV",
            kind="stage",
            implementation="drivederain_methods.baselines.inpaint:Inpaint",
            options="drivederain_methods.baselines.options:InpaintOptions",
            # How much drops cover is estimated of the whole picture.
            needs=Needs(mask=True, may_tile=False),
            needs_weights=False,
            licence=_LICENCE,
            paper="Telea, Image Inpainting Based on the Fast Marching Method, J. Graphics Tools 9(1), 2004",
        ),
    ]
