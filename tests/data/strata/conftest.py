from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from drivederain.scenes import TIMES_OF_DAY, draw_scene


@pytest.fixture(scope="session")
def scenes() -> list[NDArray[np.uint8]]:
    """Clear drawn scenes of other seeds than the trees were fitted on, of each time of day."""
    return [
        np.asarray(draw_scene(seed=11, index=index, height=360, width=640, time_of_day=time).image, np.uint8)
        for index, time in enumerate((*TIMES_OF_DAY, "day"))
    ]
