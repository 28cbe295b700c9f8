"""Chain expressions: ``unet+diffusion`` names two methods that run one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivederain.errors import SpecError
from drivederain.specs import MethodSpec

LONGEST_CHAIN = 8
"""Methods in one chain at most."""


@dataclass(frozen=True, slots=True)
class ChainSpec:
    """Methods that run one after the other.

    The first is a stage and gets the rainy picture. A stage behind another gets the output before it as its rainy
    picture; a refiner gets the rainy picture and that output (``MethodSpec.kind`` tells which it is).
    """

    name: str
    """The names joined by ``+``, without spaces; of a further sample with ``#`` and its number behind."""
    stages: tuple[MethodSpec, ...]
    sample: int = 0
    """Which of several samples of a chain that draws noise this is; each has noise of its own."""

    @property
    def method(self) -> str:
        """As it stands in the results, whichever sample it is."""
        return "+".join(stage.name for stage in self.stages)

    @property
    def last(self) -> MethodSpec:
        """The method whose output is the chain's."""
        return self.stages[-1]

    @property
    def before(self) -> ChainSpec | None:
        """The chain without its last method, ``None`` for a single method."""
        return self.prefixes[-2] if len(self.stages) > 1 else None

    @property
    def prefixes(self) -> tuple[ChainSpec, ...]:
        """The chain cut off after each of its methods, shortest first; the last one equals the chain."""
        cuts = [self.stages[:length] for length in range(1, len(self.stages) + 1)]
        return tuple(_chain(cut, self.sample) for cut in cuts)

    def of_sample(self, sample: int) -> ChainSpec:
        """The same methods with the noise of another sample; without a stochastic one there is but sample 0."""
        return _chain(self.stages, sample)


def _chain(stages: tuple[MethodSpec, ...], sample: int = 0) -> ChainSpec:
    name = "+".join(stage.name for stage in stages)
    if sample == 0 or not any(stage.stochastic for stage in stages):
        return ChainSpec(name, stages)
    return ChainSpec(f"{name}#{sample}", stages, sample)


def parse_chain(expression: str, method: Callable[[str], MethodSpec]) -> ChainSpec:
    """Return the chain that ``expression`` names; spaces around ``+`` do not matter.

    ``method`` looks up one name, and raises ``SpecError`` where there is none.

    Raises:
        SpecError: an empty or unknown name, a refiner at the front, or more than ``LONGEST_CHAIN`` methods.
    """
    names = [part.strip() for part in expression.split("+")]
    if not any(names):
        raise SpecError(f"{expression!r} names no method: give one, as in 'unet', or a chain, as in 'unet+diffusion'")
    if not all(names):
        mended = "+".join(filter(None, names))
        raise SpecError(f"chain {expression!r}: there is a '+' with no method beside it; did you mean {mended!r}?")
    if len(names) > LONGEST_CHAIN:
        raise SpecError(f"chain {expression!r} has {len(names)} methods; at most {LONGEST_CHAIN} can be chained")
    stages = tuple(method(name) for name in names)
    first = stages[0]
    if first.kind == "refiner":
        raise SpecError(
            f"chain {expression!r}: {first.name!r} is a refiner and improves on the output of a stage; "
            f"put a stage before it, as in 'unet+{first.name}'"
        )
    return _chain(stages)
