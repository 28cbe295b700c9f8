"""``run.json`` of a joined run: what the parts say, once, and which parts they were."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

from drivederain.results.merging.comparable import Part
from drivederain.results.merging.tables import Joined
from drivederain.results.schema import SCHEMA_VERSION


def joined_record(
    parts: Sequence[Part],
    name: str,
    command: Sequence[str],
    joined: Joined,
    pictures: Sequence[Mapping[str, Any]],
    outputs: Mapping[str, int],
) -> dict[str, Any]:
    """The record of the joined run.

    Args:
        pictures: rows of its ``pictures.parquet``.
        outputs: method -> its pictures in the folder.
    """
    abouts = [part.about for part in parts]
    first = abouts[0]
    datasets = _datasets(parts, joined, pictures)
    whole = [each for part in parts for each in part.whole]
    wholes = list({(each["name"], each["split"]): each for each in whole}.values())
    there = {(each["name"], each["split"]): each["images"] for each in datasets}
    complete = all(there.get((each["name"], each["split"])) == each["images"] for each in wholes)
    methods = _methods(parts, outputs, sum(each["images"] for each in datasets))
    warnings = [words for about in abouts for words in about["warnings"]]
    shards = ", ".join(dict.fromkeys(part.shard for part in parts if part.shard))
    if not complete:
        warnings.append(f"this is not all of the test data: of its shards there are {shards}")
    warnings += [
        f"{method} was restored on {len(keys)} kinds of machine or environment; last bits of its scores may differ"
        for method, keys in sorted(joined.keys.items())
        if len(keys) > 1
    ]
    if joined.conflicting:
        warnings.append(
            f"the runs that were joined contradict each other in {joined.conflicting} rows: the first run's are kept, "
            "conflicts.jsonl lists what the others say"
        )
    return {
        **first,
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "command": list(command),
        "started": min(str(about["started"]) for about in abouts),
        "finished": max(str(about["finished"]) for about in abouts),
        "seconds": round(sum(about["seconds"] for about in abouts), 1),
        "exit_status": int(joined.lost > 0 or any(method["status"] != "ok" for method in methods)),
        "protocol": {key: _joined([about["protocol"].get(key) for about in abouts]) for key in first["protocol"]},
        "shard": "" if complete else shards,
        "datasets": datasets,
        "whole": [] if complete else wholes,
        "methods": methods,
        "ceilings": _ceilings(parts),
        "trainings": _once([each for about in abouts for each in about["trainings"]]),
        "problems": _once([each for about in abouts for each in about["problems"]]),
        "warnings": list(dict.fromkeys(warnings)),
        "plugins": _once([each for about in abouts for each in about["plugins"]]),
        "merged": [_about(part) for part in parts],
    }


def _about(part: Part) -> dict[str, Any]:
    about = part.about
    environment = about["environment"]
    return {
        "name": about["name"],
        "shard": part.shard,
        "command": about["command"],
        "started": about["started"],
        "seconds": about["seconds"],
        "exit_status": about["exit_status"],
        "device": about["protocol"].get("device"),
        "hardware": environment.get("hardware", ""),
        "versions": environment.get("versions", {}),
        "git": about["git"],
        "methods": [method["name"] for method in about["methods"]],
        "datasets": [{"name": each["name"], "images": each["images"]} for each in about["datasets"]],
    }


def _datasets(parts: Sequence[Part], joined: Joined, pictures: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is there of each data set: all of it in the words of the whole, else counted."""
    found = []
    for whole in {(each["name"], each["split"]): each for part in parts for each in part.whole}.values():
        of = (whole["name"], whole["split"])
        own = [row for row in pictures if (row["dataset"], row["split"]) == of]
        if len(own) == whole["images"]:
            found.append(whole)
        elif own:
            prints = [each["fingerprint"] for part in parts for each in part.about["datasets"]
                      if (each["name"], each["split"]) == of]  # fmt: skip
            found.append(
                whole
                | {
                    "images": len(own),
                    "scenes": len({row["scene"] for row in own}),
                    "fingerprint": hashlib.sha256(json.dumps(sorted(set(prints))).encode()).hexdigest(),
                    "intensity_sources": dict(Counter(row["intensity_source"] for row in own)),
                    "borderline": joined.borderline.get(of, 0),
                }
            )
    return found


def _methods(parts: Sequence[Part], outputs: Mapping[str, int], images: int) -> list[dict[str, Any]]:
    """Each method once, in the words of the first run that has it whole, with the counts of all."""
    found = []
    every = [method for part in parts for method in part.about["methods"]]
    for name in dict.fromkeys(method["name"] for method in every):
        own = [method for method in every if method["name"] == name]
        broken = [method for method in own if method["status"] != "ok"]
        done = outputs.get(name, 0)
        status = "ok" if done == images else "partly" if done else broken[0]["status"] if broken else "failed"
        found.append(
            own[0]
            | {
                "facts": next((each["facts"] for each in own if each["facts"]), {}),
                "status": status,
                "reason": "" if status == "ok" else next((each["reason"] for each in broken), ""),
                "traceback": "" if status == "ok" else next((each["traceback"] for each in broken), ""),
                "images_ok": done,
                "images": images,
                "restored_now": min(done, sum(each["restored_now"] for each in own)),
            }
        )
    return found


def _ceilings(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Means over the clear pictures of all parts; those of the same pictures count once."""
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for part in parts:
        prints = {each["name"]: each["fingerprint"] for each in part.about["datasets"]}
        for ceiling in part.about["ceilings"]:
            same = json.dumps([ceiling[name] for name in ("method", "options", "of", "dataset")], sort_keys=True)
            groups.setdefault(same, {}).setdefault(prints.get(ceiling["dataset"], ""), ceiling)
    return [_ceiling(list(group.values())) for group in groups.values()]


def _ceiling(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if len(parts) == 1:
        return parts[0]
    scores = {}
    for name in dict.fromkeys(name for part in parts for name in part["scores"]):
        own = [part["scores"][name] for part in parts if name in part["scores"]]
        images = sum(score["images"] for score in own)
        scores[name] = {"mean": fsum(score["mean"] * score["images"] for score in own) / images, "images": images}
    return parts[0] | {
        "images": sum(part["images"] for part in parts),
        "images_ok": sum(part["images_ok"] for part in parts),
        "reason": next((part["reason"] for part in parts if part["reason"]), ""),
        "scores": scores,
    }


def _joined(values: Sequence[Any]) -> Any:
    """The value that all have, else all of them in a text."""
    once = _once(values)
    return (
        once[0] if len(once) == 1 else " | ".join(json.dumps(value) if value is None else str(value) for value in once)
    )


def _once(values: Sequence[Any]) -> list[Any]:
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())
