"""Score stored outputs: a new metric needs no inference, and a score that was computed once is read from the cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivederain.data.decoded import DecodedPictures
from drivederain.data.sample import Sample
from drivederain.engine.cells import Cell
from drivederain.engine.display import Display
from drivederain.engine.failures import MethodCodeError, describe
from drivederain.engine.keys import key_of
from drivederain.errors import MetricError
from drivederain.implementation import load_implementation
from drivederain.metric_selection import MetricVariant
from drivederain.metrics.metric import Metric
from drivederain.results.schema import Status

MEMORY = 2**30
"""Bytes of decoded truths and masks that are kept between methods."""
BATCH_PIXELS = 1_000_000
"""A batch of one size has at most so many pixels, but at least one picture."""


@dataclass(frozen=True)
class Score:
    """The values of one metric variant by region, or why there are none."""

    regions: dict[str, float]
    status: Status = "ok"
    reason: str = ""


class Scorer:
    """Computes the chosen metrics; they are loaded when the first score is missing."""

    def __init__(self, metrics: Sequence[MetricVariant], device: torch.device, display: Display) -> None:
        self.variants, self.device, self.display = list(metrics), device, display
        self._classes: dict[str, type[Metric]] = {}
        self._broken: dict[str, Score] = {}
        for variant in metrics:
            try:
                made = load_implementation(variant.metric.implementation, owner=f"metric {variant.metric.name}")
                if not issubclass(made, Metric):
                    raise MetricError(
                        f"metric {variant.metric.name} is not a sub-class of drivederain.metrics.metric.Metric"
                    )
                self._classes[variant.name] = made
            except MethodCodeError as error:
                self._broken[variant.name] = Score({}, *describe(error))
        self._loaded: dict[str, Metric] = {}
        self._decoded = DecodedPictures(MEMORY)

    def scores(self, cell: Cell, samples: Sequence[Sample], words: str) -> dict[tuple[str, str], Score]:
        """Scores by (image, metric variant) of the samples whose outputs are in ``cell`` and that have a truth."""
        found: dict[tuple[str, str], Score] = {}
        missing: dict[str, list[Sample]] = {}
        keys: dict[tuple[str, str], str] = {}
        ready = [sample for sample in samples if sample.clear is not None and cell.has(sample.rainy.fingerprint)]
        for sample in ready:
            for variant in self.variants:
                if variant.name in self._broken:
                    found[sample.image, variant.name] = self._broken[variant.name]
                    continue
                key = keys[sample.image, variant.name] = self._key(cell, sample, variant)
                if key in cell.scores:
                    found[sample.image, variant.name] = Score(cell.scores[key])
                else:
                    missing.setdefault(variant.name, []).append(sample)
        if missing:
            count = sum(len(rows) for rows in missing.values())
            self.display.begin(f"score {words}", count)
            wanted = {(sample.image, name) for name, rows in missing.items() for sample in rows}
            done = 0
            for batch in self._batches(
                cell, [sample for sample in ready if any((sample.image, n) in wanted for n in missing)]
            ):
                fresh: dict[str, dict[str, float]] = {}
                for name in missing:
                    rows = [item for item in batch if (item.sample.image, name) in wanted]
                    for item, score in zip(rows, self._score(name, rows), strict=True):
                        found[item.sample.image, name] = score
                        if score.status == "ok":
                            fresh[keys[item.sample.image, name]] = score.regions
                    done += len(rows)
                cell.score(fresh)
                self.display.advance(done)
            self.display.end(f"{count} scores")
        return found

    def _key(self, cell: Cell, sample: Sample, variant: MetricVariant) -> str:
        assert sample.clear is not None
        return key_of(
            [
                cell.outputs[sample.rainy.fingerprint].sha256,
                sample.clear.fingerprint,
                sample.mask.fingerprint if sample.mask else "",
                variant.name,
                variant.metric.implementation,
                self._classes[variant.name].version,
                self.device.type,
            ]
        )

    def _batches(self, cell: Cell, samples: Sequence[Sample]) -> Iterator[list[_Item]]:
        """Decoded outputs with truths and masks; pictures of one size together, masks or none together."""
        waiting: dict[tuple[Any, ...], list[_Item]] = {}
        for sample in samples:
            item = self._item(cell, sample)
            shape = (item.output.shape, item.truth.shape, item.mask is None)
            group = waiting.setdefault(shape, [])
            group.append(item)
            if (len(group) + 1) * math.prod(item.output.shape[:2]) > BATCH_PIXELS:
                yield waiting.pop(shape)
        yield from waiting.values()

    def _item(self, cell: Cell, sample: Sample) -> _Item:
        assert sample.clear is not None
        mask = self._decoded.get(sample.mask) if sample.mask is not None else None
        return _Item(sample, cell.read(sample.rainy.fingerprint), self._decoded.get(sample.clear), mask)

    def _score(self, name: str, items: Sequence[_Item]) -> list[Score]:
        if not items:
            return []
        try:
            regions = self._metric(name).score(*self._tensors(items))
            columns = {region: [float(value) for value in values] for region, values in regions.items()}
            scores = [_checked(name, columns, len(items), row) for row in range(len(items))]
        except MethodCodeError as error:
            if len(items) > 1:
                return [score for item in items for score in self._score(name, [item])]
            if isinstance(error, MetricError):
                return [Score({}, "skipped", str(error))]
            status, reason = describe(error)
            return [Score({}, status, f"{name}: {reason}")]
        return scores

    def _metric(self, name: str) -> Metric:
        if name not in self._loaded:
            variant = next(variant for variant in self.variants if variant.name == name)
            metric = self._classes[name](variant.variant)
            metric.load(self.device)
            self._loaded[name] = metric
        return self._loaded[name]

    def _tensors(self, items: Sequence[_Item]) -> tuple[Tensor, Tensor, Tensor | None]:
        def stack(pictures: list[NDArray[np.uint8]]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))).to(self.device)

        masks = [item.mask for item in items if item.mask is not None]
        mask = torch.from_numpy(np.stack(masks)[:, None]).to(self.device).float() / 255 if masks else None
        return stack([item.output for item in items]), stack([item.truth for item in items]), mask

    def close(self) -> None:
        """Free the metrics."""
        for metric in self._loaded.values():
            metric.close()
        self._loaded.clear()


@dataclass(frozen=True)
class _Item:
    sample: Sample
    output: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None


def _checked(name: str, columns: Mapping[str, Sequence[float]], count: int, row: int) -> Score:
    """One picture's scores; NaN says that a region is empty, which the whole picture is not."""
    if any(len(values) != count for values in columns.values()):
        raise TypeError(f"it gave {[len(values) for values in columns.values()]} values for {count} pictures")
    regions = {region: values[row] for region, values in columns.items() if not math.isnan(values[row])}
    if "image" not in regions:
        return Score({}, "failed", f"{name} gave no number for the whole picture")
    return Score(regions)
