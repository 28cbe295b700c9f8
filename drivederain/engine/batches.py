"""Which pictures go through a network together. It depends on the data alone, never on what was restored before.

With a batch of one, the default, an output depends on its picture alone. Larger batches are cut from the pictures of a
sample set in the order of their fingerprints; an output counts only for the batch it was made in, and a batch of which
anything is missing is done again as a whole. The outputs of a method that uses drop masks count only with the masks
they were made with.
"""

from __future__ import annotations

from collections.abc import Sequence

from drivederain.data.sample import Sample, SampleSet
from drivederain.engine.keys import key_of


def batches_of(
    sample_sets: Sequence[SampleSet], batch: int, *, masks: bool = False
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By picture: the name of its batch ("" for a batch of one), and its pictures.

    A picture that is in several sample sets belongs to the first.

    Args:
        sample_sets: the data.
        batch: pictures that go through together.
        masks: the name is that of their drop masks, too.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for sample_set in sample_sets:
        own = {sample.rainy.fingerprint: sample for sample in reversed(sample_set.samples)}
        fresh = sorted(picture for picture in own if picture not in found)
        for first in range(0, len(fresh), batch):
            group = tuple(fresh[first : first + batch])
            content = [_with_mask(own[picture]) for picture in group] if masks else list(group)
            found |= dict.fromkeys(group, ("" if content == list(group[:1]) and batch == 1 else key_of(content), group))
    return found


def _with_mask(sample: Sample) -> str:
    """What names the sample together with its mask."""
    return sample.rainy.fingerprint if sample.mask is None else f"{sample.rainy.fingerprint} {sample.mask.fingerprint}"
