"""Which pictures go through a network together. It depends on the data alone, never on what was restored before.

With a batch of one, the default, an output depends on its picture alone. Larger batches are cut from the pictures of a
sample set in the order of their fingerprints; an output counts only for the batch it was made in, and a batch of which
anything is missing is done again as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from drivederain.data.sample import SampleSet
from drivederain.engine.keys import key_of


def batches_of(sample_sets: Sequence[SampleSet], batch: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By picture: the name of its batch ("" for a batch of one), and its pictures.

    A picture that is in several sample sets belongs to the first.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for sample_set in sample_sets:
        own = dict.fromkeys(sample.rainy.fingerprint for sample in sample_set.samples)
        fresh = [picture for picture in own if picture not in found]
        if batch == 1:
            found |= {picture: ("", (picture,)) for picture in fresh}
            continue
        fresh.sort()
        for first in range(0, len(fresh), batch):
            group = tuple(fresh[first : first + batch])
            found |= dict.fromkeys(group, (key_of(group), group))
    return found
