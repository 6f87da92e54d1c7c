"""Figures of a day: who came, how soon somebody answered, what was resolved. From the facts alone, and nothing else.

A *milestone* is what a session's facts say of one of these, at its moment: at the desk that had the session then, and
of the operator who did it. Milestones follow from the journal, so the same session always has the same ones, however
often it is looked at; `figures` adds up those of a desk or of an operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from routing import facts as f
from routing.facts import Fact
from routing.ids import DeskId, OperatorId, SessionId
from routing.policy import Promised


class Passed(StrEnum):
    """Which milestone it is."""

    OPENED = "opened"
    ANSWERED = "answered"  # for the first time
    RESOLVED = "resolved"
    REOPENED = "reopened"  # what was resolved is so no more


@dataclass(frozen=True, slots=True)
class Milestone:
    """`operator`: who answered, or whose session it was that was resolved. Of a first response, `took`: ms since the
    customer came, or since the desk opened for them; `kept`: no promise of it had been missed."""

    kind: Passed
    session: SessionId
    at: int
    desk: DeskId
    operator: OperatorId | None = None
    took: int = 0
    kept: bool = True


def milestones(facts: Iterable[Fact]) -> Iterator[Milestone]:
    """All that a session's facts tell so far, in their order."""
    session, came, answered, kept = SessionId(""), 0, False, True
    assignee: OperatorId | None = None
    for fact in facts:
        if isinstance(fact, f.SessionOpened):
            session, came = fact.session, fact.at
            yield Milestone(Passed.OPENED, session, fact.at, fact.desk)
        elif isinstance(fact, f.DeskOpened):
            came = came if answered else fact.at
        elif isinstance(fact, f.PromiseMissed):
            kept = kept and fact.promise is not Promised.FIRST_RESPONSE
        elif isinstance(fact, f.ReplyAdded) and not answered:
            answered = True
            yield Milestone(Passed.ANSWERED, session, fact.at, fact.desk, fact.operator, max(0, fact.at - came), kept)
        elif isinstance(fact, f.OperatorAssigned):
            assignee = fact.operator
        elif isinstance(fact, f.OperatorUnassigned):
            assignee = None
        elif isinstance(fact, f.SessionResolved):
            yield Milestone(Passed.RESOLVED, session, fact.at, fact.desk, fact.operator or assignee)
        elif isinstance(fact, f.SessionReopened):
            yield Milestone(Passed.REOPENED, session, fact.at, fact.desk, assignee)


@dataclass(frozen=True, slots=True)
class Figures:
    """`kept` of the `answered` had their first response before a promise of it was missed. `median`: ms until it."""

    opened: int = 0
    answered: int = 0
    kept: int = 0
    resolved: int = 0
    median: int | None = None


def figures(passed: Iterable[Milestone], since: int, operator: OperatorId | None = None) -> Figures:
    """What was done from `since` on (ms since 1970, UTC); by this operator, or by everybody. Each milestone counts
    once, in whatever order and however often it comes; a session counts as resolved if it still was in the end."""
    told = sorted({one for one in passed if one.at >= since}, key=lambda one: one.at)
    answered = [one for one in told if one.kind is Passed.ANSWERED and operator in (None, one.operator)]
    ends = {one.session: one for one in told if one.kind in (Passed.RESOLVED, Passed.REOPENED)}
    return Figures(
        opened=sum(one.kind is Passed.OPENED for one in told) if operator is None else 0,
        answered=len(answered),
        kept=sum(one.kept for one in answered),
        resolved=sum(one.kind is Passed.RESOLVED and operator in (None, one.operator) for one in ends.values()),
        median=int(median(one.took for one in answered)) if answered else None,
    )
