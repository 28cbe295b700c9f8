"""The built-in data sets, through the same door as a stranger's. Imports nothing heavy."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import DatasetSpec

_DATASETS = (
    DatasetSpec(
        name="scenes",
        summary="drawn street scenes with drawn rain; a smoke test that needs no photographs",
        implementation="drivederain.data.scenes:Scenes",
        location="[COUNT[xHEIGHTxWIDTH]]",
    ),
    DatasetSpec(
        name="synthetic",
        summary="clear photos; windshield rain is drawn over each at light, medium and heavy",
        implementation="drivederain.data.synthetic:Synthetic",
        location="PHOTOS",
    ),
    DatasetSpec(
        name="paired",
        summary="rainy pictures with their clear ones: two folders, or one with rainy/ clear/ or input/ target/",
        implementation="drivederain.data.paired:Paired",
        location="RAINY:CLEAR|ROOT",
    ),
    DatasetSpec(
        name="rain13k",
        summary="test sets of deraining papers: Test100, Rain100H, Rain100L, Test2800, Test1200, Rain200H, Rain200L",
        implementation="drivederain.data.rain13k:Rain13K",
        location="ROOT",
    ),
    DatasetSpec(
        name="real",
        summary="rainy photos without ground truth; intensities are estimated",
        implementation="drivederain.data.real:Real",
        location="PHOTOS",
    ),
    DatasetSpec(
        name="v40",
        summary="the V40 layout: clear/, windshield_rainy_v40/, real_rainy/, splits/; scored as v40-pairs and v40-real",
        implementation="drivederain.data.v40:V40",
        location="ROOT",
    ),
)


@hookimpl
def drivederain_datasets() -> tuple[DatasetSpec, ...]:
    return _DATASETS
