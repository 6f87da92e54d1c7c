"""Intent: whether what somebody wrote in a thread is a reply, a note, or is held until a person says.

In a thread of a network a reply and a note look alike, so the rule is here, once for all networks. A template is judged
here, too: its words have an origin that shows them nowhere yet. Only an enrolled operator replies. What the words
themselves say goes first; else the assignee's words are a reply, and so are the first words to a session that nobody
has, by somebody of its desk. Whatever else might have been one stays inside, and its author is offered to send it.
"""

from __future__ import annotations

from dataclasses import replace

from routing import answering, held, words
from routing import inputs as i
from routing.case import Case, RefusedError
from routing.facts import Inside, Side
from routing.ids import OperatorId, sent_id
from routing.inputs import INSIDE, Manner
from routing.policy import PlainWords, Policy
from routing.session import Reason, Session, Spoken, stranger

_MEANT_PERHAPS = {Manner.ADDRESSED: Inside.ADDRESSED, Manner.FORWARDED: Inside.FORWARDED}
"""What is a note by what it looks like, and not because its author said so."""


def wrote(case: Case, event: i.OperatorWrote) -> None:
    session = case.open
    if session.spoken(event.message) or session.held(event.message):
        return  # the same words again, by another way
    if event.manner in INSIDE:
        _note(case, event, _MEANT_PERHAPS.get(event.manner))
        return
    refuse_stale(case, event.origin)
    if event.operator is None:
        held.hold_unknown(case, event)
    elif (inside := kept_inside(case, event.manner, event.operator)) is not None:
        _note(case, event, inside)
    else:
        _reply(case, event, event.operator)


def wrote_late(case: Case, event: i.OperatorWrote) -> None:
    """A closed session takes what was learnt afterwards, and nothing for the customer."""
    if event.manner not in INSIDE:
        raise RefusedError(Reason.SESSION_CLOSED)
    wrote(case, event)


def kept_inside(case: Case, manner: Manner, operator: OperatorId) -> Inside | None:
    """Why an operator's words are no reply; None when they are one."""
    return would_stay_inside(case.open, case.policy, manner, operator)


def would_stay_inside(session: Session, policy: Policy, manner: Manner, operator: OperatorId) -> Inside | None:
    """The same of words that are still being written."""
    profile = policy.operators.get(operator)
    if manner is Manner.REPLY:
        return None
    if policy.desk_of(session.desk, session.language, session.topic).plain_words is PlainWords.NOTE:
        return Inside.DESK
    if session.assignee is not None:
        return None if session.assignee == operator else Inside.ANOTHERS
    return None if profile is not None and profile.works_at(session.desk) else Inside.ELSEWHERE


def refuse_stale(case: Case, origin: i.Origin) -> None:
    """Who writes in a thread that the session has left is told where it went on."""
    if origin.mirror is not None and origin.mirror != case.open.mirror.number:
        raise RefusedError(Reason.MOVED)


def _note(case: Case, event: i.OperatorWrote, inside: Inside | None) -> None:
    author = event.operator or stranger(case.open, event.origin.mirror, event.author)
    answering.note(case, i.OperatorNoted(event.message, author, event.origin), inside)


def _reply(case: Case, event: i.OperatorWrote, operator: OperatorId) -> None:
    """It claims at once, even where it can be undone: so two never answer the same session without knowing."""
    answering.claim_unless_taken(case, operator)
    if case.desk.undo:
        held.hold_for_undo(case, event)
    else:
        answering.reply(case, i.OperatorReplied(event.message, operator, event.origin))


# ------------------------------------------------------------------ edits and withdrawals


def revise(case: Case, event: i.CustomerRevised | i.OperatorRevised) -> None:
    """An operator's edit may change what their words are: held words and replies become notes, never the reverse."""
    pending = case.open.held(event.message)
    if isinstance(event, i.CustomerRevised):
        words.revise(case, event)
    elif pending is not None:
        held.revise(case, pending, event)
    elif event.manner in INSIDE and not _is_note(case, event):
        words.withdraw(case, i.OperatorWithdrew(event.message, event.operator, event.committed))
    else:
        words.revise(case, event)
        _follow(case, event)


def _is_note(case: Case, event: i.OperatorRevised) -> bool:
    spoken = case.open.spoken(event.message)
    return spoken is not None and spoken.side is Side.NOTE


def _follow(case: Case, event: i.OperatorRevised) -> None:
    """A note that its author sent: the reply says what the note says now, and is taken back where it is marked as a
    note again. One that somebody else sent says what they sent."""
    reply = _sent(case, event)
    if reply is None:
        return
    if event.manner is Manner.NOTE:
        _take_back(case, reply)
    elif reply.by == event.operator:
        words.revise(case, replace(event, message=reply.message))


def withdraw(case: Case, event: i.CustomerWithdrew | i.OperatorWithdrew) -> None:
    pending = case.open.held(event.message)
    if isinstance(event, i.CustomerWithdrew):
        words.withdraw(case, event)
    elif pending is not None:
        held.withdraw(case, pending, event)
    else:
        words.withdraw(case, event)
        if (reply := _sent(case, event)) is not None:
            _take_back(case, reply)


def _sent(case: Case, event: i.OperatorRevised | i.OperatorWithdrew) -> Spoken | None:
    """The reply that this note became, unless that is taken back."""
    reply = case.open.spoken(sent_id(event.message))
    return None if reply is None or reply.withdrawn else reply


def _take_back(case: Case, reply: Spoken) -> None:
    words.withdraw(case, i.OperatorWithdrew(reply.message, OperatorId(reply.by)))
