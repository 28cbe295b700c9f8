"""What to say of a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` (or ``'x' or 'y'``), ``""`` where nothing of ``known`` resembles ``name``.

    Upper and lower case, ``-`` and ``_`` count as equal.
    """
    import difflib

    plain = {entry.lower().replace("-", "_"): entry for entry in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.lower().replace("-", "_"), plain, n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(plain[entry]) for entry in close)}?" if close else ""
