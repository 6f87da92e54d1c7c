"""Answering: a session becomes somebody's, and what they say becomes the customer's, or a note."""

from __future__ import annotations

from routing import checks, escalation, words
from routing import facts as f
from routing import inputs as i
from routing.case import Case
from routing.facts import Actor, Inside, Side, Why
from routing.ids import MessageId, OperatorId
from routing.session import State


def assign(case: Case, operator: OperatorId, why: Why) -> None:
    case.record(f.OperatorAssigned, Actor.OPERATOR, operator=operator, why=why)
    checks.require(case)


def claim_unless_taken(case: Case, operator: OperatorId) -> None:
    """The first reply to an unclaimed session claims it."""
    if case.open.assignee is None and case.open.state is not State.RESOLVED:
        assign(case, operator, Why.REPLIED)


def reply(
    case: Case,
    said: i.OperatorReplied,
    actor: Actor = Actor.OPERATOR,
    *,
    revision: int = 0,
    note: MessageId | None = None,
    wording: int = 0,
    held: bool = False,
) -> None:
    """The one way in which an operator's words become the customer's; an incident's updates have their own."""
    case.record(
        f.ReplyAdded,
        actor,
        message=said.message,
        operator=said.operator,
        mirror=said.origin.mirror,
        worked=case.worked(),
        revision=revision,
        note=note,
        wording=wording,
        held=held or case.holds_back,
    )
    escalation.end(case, actor, Why.ANSWERED)
    words.mirror_words(case, said, Side.REPLY)


def note(case: Case, said: i.OperatorNoted, inside: Inside | None = None) -> None:
    case.record(
        f.NoteAdded,
        Actor.OPERATOR,
        message=said.message,
        operator=said.operator,
        mirror=said.origin.mirror,
        inside=inside,
        held=case.holds_back,
    )
    words.mirror_words(case, said, Side.NOTE)
