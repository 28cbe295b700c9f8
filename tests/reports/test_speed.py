"""Why a place of the table of speed is empty."""

from __future__ import annotations

import pandas as pd

from drivederain_reports.run_about import MethodAbout
from drivederain_reports.speed import NotMeasured, not_measured


def method(name: str, **reasons: str) -> MethodAbout:
    return MethodAbout(name=name, stages=[name], status="ok", images_ok=1, images=1, not_measured=reasons)


def test_reasons_are_those_of_empty_places_and_equal_ones_stand_together() -> None:
    timings = pd.DataFrame(
        {"method": ["a", "b", "c", "c"], "flops": [1.0, None, 2.0, None], "energy_j": [None, None, 1.0, 1.0]}
    )
    methods = [
        method("a", energy="no counter", flops="untrue"),
        method("b", energy="no counter"),
        method("c"),
        method("d"),
    ]
    assert not_measured(timings.to_dict("records"), methods) == [
        NotMeasured("operations", "no image of the median size was counted", ["b", "c"]),
        NotMeasured("energy", "no counter", ["a", "b"]),
    ]
