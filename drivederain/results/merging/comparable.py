"""Whether runs may be joined: what must be the same, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivederain.errors import DataError
from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import SCHEMA_VERSION

PROTOCOL = ("size", "seed", "samples", "precision", "batch", "tile")
"""What changes outputs or scores of pictures that have the same name. Which pictures there are is told by the data's
fingerprints, and what a method is by its recipe. Machines may differ: what comes of it are conflicting rows."""

MOST_REASONS = 8


@dataclass(frozen=True)
class Part:
    """A run that is joined with others."""

    folder: RunFolder
    about: dict[str, Any]
    """``run.json``."""

    @property
    def shard(self) -> str:
        return str(self.about.get("shard") or "")

    @property
    def whole(self) -> list[dict[str, Any]]:
        """The test sets that it has, or is a part of."""
        return list(self.about.get("whole") or self.about["datasets"])


def read_parts(folders: Sequence[Path]) -> list[Part]:
    """The runs in ``folders``.

    Raises:
        DataError: fewer than two, one that is given twice, one that was stopped, damaged or of another version.
    """
    if len(folders) < 2:
        raise DataError("there is nothing to join: give two runs or more, as in merge runs/a runs/b --out runs/ab")
    parts: list[Part] = []
    for path in folders:
        if any(part.folder.path.resolve() == path.resolve() for part in parts):
            raise DataError(f"{path} is given twice. Name each run once.")
        folder = RunFolder(path)
        if folder.events_jsonl.is_file() and not folder.run_json.exists():
            raise DataError(f"{path} was stopped before its end. Start the same `run` command again: it goes on.")
        about = folder.about()
        version = about.get("schema_version")
        if version != SCHEMA_VERSION:
            raise DataError(
                f"{folder.run_json} has the schema version {version}, this program reads {SCHEMA_VERSION}. "
                "Start the same `run` command again to write it anew."
            )
        part = Part(folder, about)
        try:
            _reasons(part, part)  # whatever the joining reads is read once here
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DataError(
                f"{folder.run_json} is damaged ({error!r}). Start the same `run` command again to write it anew."
            ) from error
        parts.append(part)
    return parts


def check_comparable(parts: Sequence[Part]) -> None:
    """Refuse runs whose rows would not mean the same thing.

    Raises:
        DataError: they differ in version, protocol, metrics, data or methods; the message says in what, and which runs.
    """
    reasons = list(
        dict.fromkeys(
            reason
            for number, part in enumerate(parts)
            for other in parts[number + 1 :]
            for reason in _reasons(part, other)
        )
    )
    if reasons:
        shown = [f"  {reason}" for reason in reasons[:MOST_REASONS]]
        more = len(reasons) - len(shown)
        shown += [f"  and {more} more"] if more > 0 else []
        raise DataError("\n".join(["these runs cannot be joined, as their rows do not mean the same:", *shown]))


def _reasons(one: Part, other: Part) -> list[str]:
    """Why two runs are not comparable, each with a remedy."""
    a, b = one.folder.path, other.folder.path
    found = []
    if one.about["version"] != other.about["version"]:
        found.append(
            f"version: {a} was made by {one.about['version']}, {b} by {other.about['version']}. "
            "Run the older one again: what has not changed is in its cache."
        )
    for name in PROTOCOL:
        here, there = one.about["protocol"].get(name), other.about["protocol"].get(name)
        if here != there:
            found.append(
                f"protocol: --{name} is {_word(here)} in {a} and {_word(there)} in {b}. Run one of them again."
            )
    scores = [{_label(metric) for metric in part.about["metrics"]} for part in (one, other)]
    if scores[0] != scores[1]:
        lacking = [
            f"{path} lacks {', '.join(sorted(missing))}"
            for path, missing in ((a, scores[1] - scores[0]), (b, scores[0] - scores[1]))
            if missing
        ]
        found.append(f"metrics: {'; '.join(lacking)}. Run it with the same --metrics: what is restored is cached.")
    for name, (here, there) in _common(one.whole, other.whole, lambda each: f"{each['name']} ({each['split']})"):
        if here["fingerprint"] != there["fingerprint"]:
            found.append(
                f"data: {name} is not the same ({here['images']} pictures in {a}, {there['images']} in {b}, "
                f"fingerprints {here['fingerprint'][:12]} and {there['fingerprint'][:12]}). Run one of them on the "
                "other's pictures, with the same --limit and --intensity."
            )
    for name, (here, there) in _common(one.about["methods"], other.about["methods"], lambda each: str(each["name"])):
        if here["recipe"] != there["recipe"]:
            what = _difference(here, there)
            found.append(f"method: {name} is not the same in {a} and {b} ({what}). Run one of them again.")
    return found


def _common(
    ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]], name: Callable[[dict[str, Any]], str]
) -> list[tuple[str, tuple[dict[str, Any], dict[str, Any]]]]:
    others = {name(each): each for each in theirs}
    return [(name(each), (each, others[name(each)])) for each in ours if name(each) in others]


def _difference(here: dict[str, Any], there: dict[str, Any]) -> str:
    """In what a method of one name differs, as far as the records tell."""
    options = [
        f"{stage}.{name} {_word(here['options'][stage].get(name))} and {_word(there['options'][stage].get(name))}"
        for stage in here["options"]
        if stage in there["options"]
        for name in sorted(here["options"][stage].keys() | there["options"][stage].keys())
        if here["options"][stage].get(name) != there["options"][stage].get(name)
    ]
    weights = [[str(each["sha256"])[:12] for each in method["weights"]] for method in (here, there)]
    if weights[0] != weights[1]:
        options.append(f"weights {' '.join(weights[0]) or 'none'} and {' '.join(weights[1]) or 'none'}")
    return ", ".join(options) or "its code, its version or its precision"


def _label(metric: dict[str, Any]) -> str:
    return f"{metric['name']}[{metric['variant']}]" if metric["variant"] else str(metric["name"])


def _word(value: Any) -> str:
    return "not set" if value is None else str(value)
