"""Which pictures are of one scene. Pictures of one scene are not independent: splits and intervals go by scene."""

from __future__ import annotations

import re
from collections.abc import Collection

from drivederain.errors import OptionError
from drivederain.specs import INTENSITIES

RULES = ("auto", "folder", "stem", "prefix")
_INTENSITY_TAG = re.compile(rf"@({'|'.join(INTENSITIES)})$")
_COUNTER = re.compile(r"[-_. ]*\d+$")


def without_intensity(stem: str) -> str:
    """``road_1@heavy`` gives ``road_1``, as ``synth`` names its files."""
    return _INTENSITY_TAG.sub("", stem)


def scene_names(stems: Collection[str], rule: str = "auto") -> dict[str, str]:
    """The scene of each picture, from its relative stem.

    Args:
        rule: ``auto``: the folder of the pictures that lie in subfolders, else the stem. ``folder``: the subfolder,
            ``.`` at the top. ``stem``: each picture is a scene. ``prefix``: the stem without the number at its end,
            so that ``seq1_0001`` and ``seq1_0002`` are one scene. ``@light``, ``@medium``, ``@heavy`` never count.

    Raises:
        OptionError: another rule.
    """
    if rule not in RULES:
        raise OptionError(f"--data-option scene={rule}: choose one of {', '.join(RULES)}")
    return {stem: _scene(without_intensity(stem), rule) for stem in stems}


def _scene(stem: str, rule: str) -> str:
    folder, _, _ = stem.rpartition("/")
    if rule == "folder":
        return folder or "."
    if rule == "prefix":
        return _COUNTER.sub("", stem) or stem
    return folder if folder and rule == "auto" else stem
