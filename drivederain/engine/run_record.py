"""``run.json`` and ``events.jsonl``: everything about a run that is said once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from drivederain.data.sample import SampleSet
from drivederain.engine.cells import Cell
from drivederain.engine.stages import ReadyStage
from drivederain.metric_selection import MetricVariant
from drivederain.registry import Registry


def now() -> str:
    """UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Events:
    """``events.jsonl``: what happened, a line each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, event: str, **facts: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": now(), "event": event} | facts, sort_keys=True) + "\n")


def about_dataset(text: str, sample_set: SampleSet) -> dict[str, Any]:
    """What ``run.json`` says of one sample set."""
    samples = sample_set.samples
    pictures = sorted((sample.image, sample.rainy.fingerprint) for sample in samples)
    sizes = sorted({sample.size for sample in samples})
    return {
        "spec": text,
        "name": sample_set.name,
        "split": sample_set.split,
        "has_truth": sample_set.has_truth,
        "clear_input_of": sample_set.clear_input_of,
        "images": len(samples),
        "scenes": len({sample.scene for sample in samples}),
        "description": sample_set.description,
        "fingerprint": hashlib.sha256(json.dumps(pictures).encode()).hexdigest(),
        "size": ", ".join(sizes),
        "intensity_sources": dict(Counter(sample.intensity_source for sample in samples)),
        "borderline": sum(sample.borderline for sample in samples),
        "smoke_test": text.partition(":")[0] == "scenes",
    }


def about_method(
    stage: ReadyStage, cell: Cell, sample_sets: Sequence[SampleSet], restored_now: int, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """What ``run.json`` says of one chain."""
    pictures = [sample.rainy.fingerprint for sample_set in sample_sets for sample in sample_set.samples]
    done = sum(cell.has(picture) for picture in pictures)
    failures = [cell.failures[picture] for picture in pictures if picture in cell.failures and not cell.has(picture)]
    problem = stage.problem if not stage.usable or not failures else (failures[0].status, failures[0].reason)
    status = "ok" if done == len(pictures) else "partly" if done else "skipped" if problem[0] == "skipped" else "failed"
    stages = stage.all_stages
    licences = [str(facts.get(each.spec.name, {}).get("licence") or each.spec.licence) for each in stages]
    return {
        "name": stage.chain.name,
        "stages": [each.spec.name for each in stages],
        "summary": stage.spec.summary,
        "licence": "; ".join(dict.fromkeys(filter(None, licences))),
        "non_commercial": any(each.spec.non_commercial for each in stages) or bool(told_non_commercial(facts)),
        "paper": stage.spec.paper,
        "key": cell.key,
        "recipe": stage.recipe(),
        "options": {each.spec.name: _options(each) for each in stages},
        "facts": dict(facts),
        "not_measured": cell.facts.get("not_measured", {}),
        "weights": [_about_weights(each) for each in stages if each.found],
        # What papers report is of a method alone.
        "published": [asdict(score) for score in stage.spec.published] if len(stages) == 1 else [],
        "status": status,
        "reason": "" if status == "ok" else problem[1],
        "images_ok": done,
        "images": len(pictures),
        "restored_now": restored_now,
        "traceback": stage.traceback,
    }


def _options(stage: ReadyStage) -> dict[str, Any]:
    """Of weights that do not store their options, only those that were typed or are not read off the tensors."""
    if stage.options is None:
        return {}
    foreign = stage.found is not None and not stage.found.architecture
    unknown = set(stage.spec.read_off) - stage.options.model_fields_set if foreign else None
    return dict(stage.options.model_dump(mode="json", exclude=unknown))


def told_non_commercial(facts: Mapping[str, Any]) -> dict[str, str]:
    """The stages whose network, once it was loaded, turned out to be of code that is not for commercial use, and why.

    Of a file that the user named, only its tensors tell.
    """
    return {
        name: str(told.get("licence") or "its licence says so")
        for name, told in facts.items()
        if told.get("non_commercial") is True
    }


def about_metrics(metrics: Sequence[MetricVariant]) -> list[dict[str, Any]]:
    """What ``run.json`` says of the metrics."""
    return [
        {
            "name": variant.metric.name,
            "variant": variant.variant,
            "direction": variant.metric.direction,
            "unit": variant.metric.unit,
            "decimals": variant.metric.decimals,
            "summary": variant.metric.summary,
            "paper": variant.metric.paper,
        }
        for variant in metrics
    ]


def about_plugins(registry: Registry) -> list[dict[str, Any]]:
    """What ``run.json`` says of the plugins, failed ones included."""
    return [
        {
            "entry_point": plugin.entry_point,
            "module": plugin.module,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "status": plugin.status,
            "reason": plugin.reason,
            "methods": list(plugin.methods),
        }
        for plugin in registry.plugins
    ]


def _about_weights(stage: ReadyStage) -> dict[str, Any]:
    assert stage.found is not None
    found = stage.found
    return {
        "stage": stage.spec.name,
        "class": found.weights_class,
        "name": found.name,
        "source": found.path.name,
        "sha256": found.sha256,
        "licence": found.licence,
        "trained_on": found.trained_on,
        "budget": found.budget,
        "hardware": found.hardware,
        "steps": found.steps,
        "behind": found.behind,
    }
