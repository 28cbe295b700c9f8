"""Files that cannot be used: all of them are found first, then either one error names them or they are left out."""

from __future__ import annotations

from collections.abc import Sequence

from drivederain.data.sample import DataContext, Problem
from drivederain.errors import DataError

SHOWN = 5


def note(context: DataContext, problem: Problem) -> None:
    """Note a problem for the report, once."""
    if problem not in context.problems:
        context.problems.append(problem)


def settle(problems: Sequence[Problem], context: DataContext, what: str) -> None:
    """Note problems with ``--skip-bad``, else raise.

    Args:
        what: what the files are of, for the message: ``photos/ (20 pictures)``.

    Raises:
        DataError: there are problems and ``--skip-bad`` was not given; it shows the first five and the count.
    """
    if not problems:
        return
    if context.skip_bad:
        for problem in problems:
            note(context, problem)
        return
    lines = [f"  {problem.file}: {problem.reason}" for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"  ... and {len(problems) - SHOWN} more")
    count = f"{len(problems)} file{'s' if len(problems) > 1 else ''} of {what} cannot be used:"
    raise DataError("\n".join([count, *lines, "Mend or remove them, or pass --skip-bad to go on without them."]))
