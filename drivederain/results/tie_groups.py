"""Ranks that methods share when the data cannot tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def tie_groups(order: Sequence[str], told_apart: Callable[[str, str], bool]) -> list[tuple[str, ...]]:
    """The methods of ``order`` (best first) in groups, each led by its best.

    A method joins the group before it unless it is told apart from that group's leader; one that is, leads the next.
    "Cannot be told apart" is not transitive: the last of a group and the first of the next may be closer to each
    other than to their leaders.
    """
    groups: list[list[str]] = []
    for name in order:
        if groups and not told_apart(groups[-1][0], name):
            groups[-1].append(name)
        else:
            groups.append([name])
    return [tuple(group) for group in groups]


def shared_ranks(groups: Sequence[Sequence[str]]) -> dict[str, int]:
    """The place of each method, from 1: after two that share the first, the next is third."""
    ranks: dict[str, int] = {}
    place = 1
    for group in groups:
        ranks |= dict.fromkeys(group, place)
        place += len(group)
    return ranks
