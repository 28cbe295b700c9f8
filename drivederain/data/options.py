"""Options of a data set: ``--data-option clear=my_clear``, or ``v40.clear=my_clear`` with several data sets."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from drivederain.errors import OptionError


def chosen_options(dataset: str, given: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """``defaults`` with what was given for this data set; options that name another data set are passed over.

    Raises:
        OptionError: an option that this data set does not have.
    """
    chosen = dict(defaults)
    for key, value in given.items():
        owner, dot, name = key.rpartition(".")
        if dot and owner != dataset:
            continue
        if name not in defaults:
            near = difflib.get_close_matches(name, defaults, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            there = ", ".join(sorted(defaults)) or "none"
            raise OptionError(f"--data-option {key}: data set {dataset} has no option {name!r}.{hint} It has: {there}")
        chosen[name] = value
    return chosen
