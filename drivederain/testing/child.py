"""Runs the checks of one method in a process of its own and says what comes of each, a line of JSON at a time."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TextIO


def main() -> None:
    """Read the request from the first argument: ``method weights options checks``."""
    asked = json.loads(sys.argv[1])
    # Whatever the plugin, or a library that it calls, prints must not come between the lines.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        _work(asked, out)
    except BaseException as error:
        _say(out, check="load", status="failed", words=_words(error), traceback=traceback.format_exc())
    # Threads of a plugin must not keep the process.
    sys.stderr.flush()
    os._exit(0)


def _work(asked: dict[str, object], out: TextIO) -> None:
    from drivederain.testing.method_checks import CHECKS, CheckFailed, CheckSkipped
    from drivederain.testing.subject import Subject

    weights = Path(str(asked["weights"])) if asked["weights"] else None
    wanted = asked["checks"]
    assert isinstance(wanted, list) and isinstance(asked["options"], dict)
    subject: Subject | None = None
    for check in CHECKS:
        if check.name not in wanted:
            continue
        _say(out, check=check.name, status="begun")
        started = time.monotonic()
        trace = ""
        try:
            subject = subject or Subject(str(asked["method"]), weights=weights, options=asked["options"])
            status, words = "passed", check.run(subject)
        except CheckSkipped as reason:
            status, words = "skipped", str(reason)
        except CheckFailed as problem:
            status, words = "failed", f"{problem}. It means: {check.means}."
        except BaseException as error:
            status, words, trace = "failed", f"{_words(error)}. It means: {check.means}.", traceback.format_exc()
        _say(out, check=check.name, status=status, words=words, seconds=time.monotonic() - started, traceback=trace)


def _words(error: BaseException) -> str:
    from drivederain.plugin_contract import reason_of

    return reason_of(error).rstrip(".")


def _say(out: TextIO, **record: object) -> None:
    out.write(json.dumps(record) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
