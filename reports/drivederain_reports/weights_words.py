"""What stands beside a method: the class of its weights, and on what and for how long they were trained."""

from __future__ import annotations

import re

from drivederain_reports.run_about import MethodAbout, Weights

_LIMIT = re.compile(r"(\d+(?:\.\d+)?) (epoch|step|minute)s?")


def weights_words(method: MethodAbout) -> str:
    """Each stage's, and for a chain the budgets of its stages together; "" where no stage has weights.

    Only weights whose budget is known say more than their class.
    """
    words = " + ".join(_of_stage(weights) for weights in method.weights)
    together = _together([weights.budget for weights in method.weights])
    return f"{words}; together {together}" if together else words


def weights_in_full(method: MethodAbout) -> str:
    """Class, name and what they were trained on: whether a paper's score is of the same weights is seen from these."""
    return "; ".join(
        f"{weights.weights_class} {weights.name}".strip()
        + (f", trained on {weights.trained_on}" if weights.trained_on else "")
        for weights in method.weights
    )


def _of_stage(weights: Weights) -> str:
    if not weights.budget:
        return weights.weights_class
    trained_on = f" on {weights.trained_on}" if weights.trained_on else ""
    hardware = f"; {weights.hardware}" if weights.hardware else ""
    return f"{weights.weights_class} ({weights.budget}{trained_on}{hardware})"


def _together(budgets: list[str]) -> str:
    limits = [_LIMIT.fullmatch(budget) for budget in budgets]
    units = {limit[2] for limit in limits if limit}
    if len(budgets) < 2 or None in limits or len(units) != 1:
        return ""
    total = sum(float(limit[1]) for limit in limits if limit)
    return f"{total:g} {units.pop()}{'' if total == 1 else 's'}"
