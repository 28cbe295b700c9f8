"""Names of samples: safe as file names on every system, unique within a data set, the same on every machine."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

LONGEST = 100
_SAFE = re.compile(r"[A-Za-z0-9_+\-.@=]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def image_names(stems: Iterable[str]) -> dict[str, str]:
    """A name for each relative stem (``night/0001`` gives ``night--0001``).

    Other characters than ASCII letters, digits and ``_ + - . @ =`` become ``_``; names are cut at ``LONGEST``. A name
    that had to be changed so, or that differs from another one only in case, gets 8 digits of the SHA-256 of its stem
    at the end.
    """
    plain = {stem: stem.replace("/", "--") for stem in stems}
    folded = Counter(name.casefold() for name in plain.values())
    return {
        stem: name if _is_safe(name) and folded[name.casefold()] == 1 else _marked(name, stem)
        for stem, name in plain.items()
    }


def _is_safe(name: str) -> bool:
    usable = _SAFE.fullmatch(name) is not None and len(name) <= LONGEST
    return usable and not name.startswith(".") and not name.endswith(".") and _RESERVED.fullmatch(name) is None


def _marked(name: str, stem: str) -> str:
    mark = hashlib.sha256(stem.encode("utf-8")).hexdigest()[:8]
    cleaned = re.sub(r"[^A-Za-z0-9_+\-.@=]", "_", name).lstrip(".")
    return f"{cleaned[: LONGEST - 9]}-{mark}"
